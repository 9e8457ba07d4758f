// Waiting for something to become true in another process.

export const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * Asks again and again until `condition` gives something truthy, and resolves to that. After `seconds` it throws,
 * saying `what` never came; what `condition` threw last is the cause.
 */
export async function until(what, condition, seconds = 15) {
  const deadline = performance.now() + seconds * 1000;
  let last;
  do {
    try {
      const value = await condition();
      if (value) return value;
      last = undefined;
    } catch (error) {
      last = error;
    }
    await sleep(200);
  } while (performance.now() < deadline);
  throw new Error(`${what}: not within ${seconds} s`, { cause: last });
}
