// A long look at a conference, for people: participants in Chromium and Firefox join, leave, reload and turn cameras
// off and on for as many minutes as wanted, some behind networks that become worse and better, while every direction is
// watched for freezes and the bridge for memory that grows. Exits 1 when something was wrong.
//
//   node watch.mjs --minutes 10 --chromium 2 --firefox 2 --behind 1 --calm 15 --seed 1

import { parseArgs } from 'node:util';
import { Bridge } from './lib/bridge.mjs';
import { launchChromium, launchFirefox } from './lib/browsers.mjs';
import { Participant } from './lib/participant.mjs';
import { behindBottleneck } from './lib/poor_network.mjs';
import { sleep } from './lib/until.mjs';
import { Watch } from './lib/watch.mjs';

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    chromium: { type: 'string', default: '2' },   // participants
    firefox: { type: 'string', default: '2' },
    behind: { type: 'string', default: '1' },     // the first so many of them are behind a bottleneck
    calm: { type: 'string', default: '15' },      // seconds between one event and the next
    seed: { type: 'string', default: '1' },       // of who does what
    verbose: { type: 'boolean', default: false }, // the bridge's log at the end
  },
});
// What a bottleneck becomes: always with room for the least picture of each of the others.
const Rates = [600_000, 1_000_000, 3_000_000, null];
const Losses = [0, 0, 0.02, 0.1];
const Names = ['Ada', 'Grace', 'Alan', 'Barbara', 'Edsger', 'Radia', 'Donald', 'Frances'];
const random = generator(Number(options.seed));
const pick = (list) => list[Math.floor(random() * list.length)];

const bridge = await Bridge.start();
const browsers = await Promise.all([launchChromium(), launchFirefox()]);
const seats = browsers.flatMap((browser) => Array(Number(options[browser.name])).fill(browser));
const networks = new Map();                  // of those who are behind one
const people = await Promise.all(seats.map(async (browser, i) => {
  const who = { name: Names[i], conference: 'watch' };
  if (i >= Number(options.behind)) return new Participant(browser, bridge, who);
  const { person, network } = await behindBottleneck(browser, bridge, who);
  networks.set(person, network);
  return person;
}));
const watch = new Watch(bridge, people);
console.log(
  people.map(({ name, browser }) => `${name} (${browser.name})`).join(', '),
  `on ${bridge.url} for ${options.minutes} minutes`,
);

let over = false;
const watching = (async () => {
  while (!over) {
    await watch.look();
    await sleep(500);
  }
})();
try {
  for (const person of people) await watch.during(person, 'joins', () => person.join());
  const deadline = performance.now() + Number(options.minutes) * 60_000;
  while (performance.now() < deadline && bridge.running) {
    await sleep(Number(options.calm) * 1000);
    await event();
  }
} catch (error) {
  watch.fail(error.message);
} finally {
  over = true;
  await watching;
}
const faults = await watch.finish();
await Promise.allSettled(browsers.map((browser) => browser.close()));
for (const network of networks.values()) network.close();
const code = await bridge.stop();
if (code !== 0) faults.push(`the bridge ended with ${code ?? 'a signal'}`);
if (options.verbose || faults.length > 0) console.log(`--- the bridge's log\n${bridge.log.slice(-200).join('\n')}`);
console.log(faults.length ? `\nWRONG:\n${faults.map((fault) => `  ${fault}`).join('\n')}` : '\nNothing was wrong.');
process.exit(faults.length ? 1 : 0);

async function event() {
  const person = pick(people);
  switch (pick(['leave', 'reload', 'camera', ...(networks.size > 0 ? ['network'] : [])])) {
    case 'network':
      return changeNetwork(pick([...networks]));
    case 'leave':
      return watch.during(person, 'leaves and rejoins', async () => {
        await person.leave();
        await sleep(4000);
        await person.rejoin();
      });
    case 'reload':
      return watch.during(person, 'reloads', () => person.reload());
    default:
      return watch.during(person, 'turns the camera off and on', async () => {
        await person.setMuted('video', true);
        await sleep(3000);
        await person.setMuted('video', false);
      });
  }
}

// Nobody is excused: a picture may become smaller, but it goes on.
function changeNetwork([person, network]) {
  const [rate, loss] = [pick(Rates), pick(Losses)];
  watch.say(`${person.name} is behind ${rate ? `${rate / 1000} kbit/s` : 'no limit'}, ${loss * 100} % lost`);
  network.down.set({ rate, loss });
  network.up.set({ loss });
}

// Mulberry32: the same seed, the same events.
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
