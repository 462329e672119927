// What a driver and a server say to the bench: one line of JSON at a time on standard output, one word a line back on
// standard input. Whatever a library prints beside that does not begin with a brace and is passed over.
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';

export const say = (value) => writeSync(1, JSON.stringify(value) + '\n');

/** The bench's words; at the end of standard input the bench is gone. */
export const words = () => createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** `name value` pairs behind the fixed arguments. */
export function options(rest) {
  const found = {};
  for (let at = 0; at < rest.length; at += 2) found[rest[at].replace(/^--/, '')] = rest[at + 1];
  return found;
}

/** User and system time of this process and all its threads. */
export function cpuMs() {
  const used = process.resourceUsage();
  return (used.userCPUTime + used.systemCPUTime) / 1e3;
}

// A failure that nobody waits for is still the driver's failure.
process.on('unhandledRejection', (error) => {
  console.error(error);
  process.exit(3);
});
