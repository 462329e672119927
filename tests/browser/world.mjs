// A hub, a phone screen and a browser for one test file: real processes on loopback, thrown away after.

import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { chromium } from "playwright-core";

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "../..");
const binaries = join(process.env.CARGO_TARGET_DIR ?? join(root, "target"), "debug");
export const screenshots = join(root, "target/screenshots");

const freePort = () =>
  new Promise((done, fail) => {
    const server = createServer();
    server.once("error", fail);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });

/** Starts a program and resolves with what follows `word` on its standard output. */
function start(program, args, word) {
  const child = spawn(join(binaries, program), args, { stdio: ["ignore", "pipe", "inherit"] });
  const ready = new Promise((done, fail) => {
    let text = "";
    child.stdout.on("data", (chunk) => {
      text += chunk;
      const line = text.split("\n").find((l) => l.startsWith(`${word} `));
      if (line) done(line.slice(word.length + 1).trim());
    });
    child.once("exit", (code) => fail(new Error(`${program} ended with ${code}`)));
  });
  return { child, ready };
}

/** Reads a QR code from a picture with zbar, as a stranger's phone would. */
export async function decodeQr(file) {
  const { stdout } = await run("zbarimg", ["-q", "--raw", "-Sdisable", "-Sqrcode.enable", file]);
  return stdout.trim().split("\n");
}

/** A hub with the sample day and further rows of its format, a phone screen enrolled at it (on a line that costs money if `metered`), and a browser. */
export async function openWorld({ rows = [], metered = false } = {}) {
  const dir = await mkdtemp(join(tmpdir(), "satchel-browser-"));
  await mkdir(screenshots, { recursive: true });
  const data = join(dir, "hub");
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const hub = start("satchel-hub", ["serve", "--data", data, "--listen", `127.0.0.1:${port}`, "--public-url", url], "listening");
  await hub.ready;
  const command = async (...args) => (await run(join(binaries, "satchel-hub"), [...args, "--data", data])).stdout;
  const mappings = join(root, "docs/mappings");
  const day = join(dir, "day.csv");
  await writeFile(day, [(await readFile(join(mappings, "sample.csv"), "utf8")).trimEnd(), ...rows, ""].join("\n"));
  await command("import", day, "--mapping", join(mappings, "sample.json"), "--group", "single", "--courier", "周捷");
  const invite = (await command("invite", "--courier", "周捷")).split("\n").find((l) => l.startsWith("SATCHEL:"));
  const line = metered ? ["--metered"] : [];
  const screen = start("satchel-demo", ["screen", "--invite", invite, "--data", join(dir, "phone"), ...line], "phone");
  const phone = await screen.ready;

  const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find(existsSync);
  if (!executablePath) throw new Error("Chromium is not installed; scripts/setup test installs it");
  const browser = await chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  return {
    phone,
    hub: url,
    command,
    downPage: async () => (await run(join(binaries, "satchel-hub"), ["down-page"])).stdout,
    audit: async () => JSON.parse(await command("audit")),
    customerLinks: async () => {
      const [, ...rows] = (await command("customer-links")).trim().split("\n");
      return rows.map((row) => row.split(",")).map(([waybill, phone, link, code]) => ({ waybill, phone, url: link, code }));
    },
    loginLink: async () => (await command("login-link")).trim(),
    page: async (options = {}) => {
      const context = await browser.newContext({ viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, locale: "en-GB", ...options });
      return context.newPage();
    },
    close: async () => {
      await browser.close();
      for (const { child } of [screen, hub]) {
        child.removeAllListeners("exit");
        child.kill("SIGKILL");
      }
      await rm(dir, { recursive: true, force: true });
    },
  };
}
