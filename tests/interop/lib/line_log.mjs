// What a child process says, line by line.

/** Adds each line of the process's output and error output to `log`, from now on. */
export function logLines(process, log) {
  for (const stream of [process.stdout, process.stderr]) {
    let rest = '';
    stream.setEncoding('utf8').on('data', (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      log.push(...lines);
    });
  }
}
