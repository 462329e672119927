// The customer's pages in a real browser: without JavaScript, by keyboard alone, on small and large
// screens, in both languages and both themes, and checked for accessibility by axe-core.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { byId, card, sign, takePhoto } from "./phone.mjs";
import { openWorld, screenshots } from "./world.mjs";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const WIDTHS = [320, 360, 1280];
let world;
let phone;
let links;
const codes = [];

/** Delivers a stop on the phone's screen and gives the address in its code. */
async function deliver(position) {
  // The list may be drawn anew by the first sync just under the finger.
  for (let i = 0; i < 5 && !(await byId(phone, "complete").isVisible()); i += 1) {
    await byId(card(phone, position), "open-stop").click();
    await byId(phone, "complete").waitFor({ timeout: 3_000 }).catch(() => {});
  }
  // Not every stop asks for everything.
  for (const id of ["identity-name", "inspection-inspected"]) {
    if (await byId(phone, id).count()) await byId(phone, id).click();
  }
  await takePhoto(phone);
  await sign(phone);
  await byId(phone, "complete").click();
  const qr = byId(phone, "qr");
  await qr.waitFor();
  const url = await qr.getAttribute("data-url");
  await byId(phone, "finish").click();
  return url;
}

before(async () => {
  world = await openWorld();
  phone = await world.page();
  await phone.goto(world.phone);
  await byId(phone, "stop-card").first().waitFor();
  for (const position of [2, 3, 4, 5]) codes.push(await deliver(position));
  links = await world.customerLinks();
});

after(async () => world?.close());

const shot = (of, name) => of.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true });

/** Whatever a page asks for besides the hub. */
function foreign(page) {
  const asked = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(world.hub)) asked.push(request.url());
  });
  return asked;
}

async function check(page, name) {
  assert.ok(
    await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth),
    `${name} scrolls sideways`,
  );
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const found = violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).slice(0, 3).join(" | ")}`);
  assert.deepEqual(found, [], name);
  const small = await page.evaluate(() =>
    [...document.querySelectorAll("button, summary, .stars label, .tags label")]
      .filter((e) => e.offsetParent)
      .map((e) => [e.textContent.trim(), e.getBoundingClientRect()])
      .filter(([, box]) => box.height < 44 || box.width < 44)
      .map(([text]) => text),
  );
  assert.deepEqual(small, [], `${name}: touch targets under 44 px`);
}

/** Presses Tab until the focused element matches. */
async function tabTo(page, selector) {
  for (let i = 0; i < 80; i += 1) {
    await page.keyboard.press("Tab");
    if (await page.locator(`${selector}:focus`).count()) return;
  }
  assert.fail(`${selector} is not reached by Tab`);
}

let caseUrl;

for (const [index, width] of WIDTHS.entries()) {
  const scripts = index === 1;
  test(`by keyboard alone at ${width} px, JavaScript ${scripts ? "on" : "off"}: scan, rate low, complain, follow the case`, async () => {
    const page = await world.page({ viewport: { width, height: 740 }, javaScriptEnabled: scripts, locale: index === 2 ? "zh-CN" : "en-GB" });
    const asked = foreign(page);
    const answer = await page.goto(codes[index]);
    assert.equal(answer.status(), 200);
    const bytes = (await answer.body()).length + Object.entries(answer.headers()).join("\r\n").length;
    assert.ok(bytes <= 30 * 1024, `${bytes} bytes`);
    await shot(page, `customer-rate-${width}`);
    await tabTo(page, 'input[name="stars"]');
    await page.keyboard.press("Space");
    await page.keyboard.press("ArrowRight");
    await tabTo(page, 'input[name="attitude"]');
    await page.keyboard.press("Space");
    await tabTo(page, "textarea");
    await page.keyboard.type("was shouted at");
    await tabTo(page, 'button[type="submit"]');
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/thanks\//);
    assert.match(await page.locator("main").innerText(), /\d{6}-[0-9A-Z]{8}/, "the case number is there at once");
    assert.ok(await page.locator('input[name="reason"][value="attitude"]').isChecked(), "the reason is filled in");
    assert.equal(await page.locator("textarea").inputValue(), "was shouted at");
    await shot(page, `customer-thanks-low-${width}`);
    await tabTo(page, 'button[type="submit"]');
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/c\//);
    caseUrl = page.url();
    await shot(page, `customer-case-${width}`);
    const again = await page.goto(codes[index]);
    assert.equal(again.status(), 404, "a used code opens the form again");
    assert.deepEqual(asked, [], "something was asked for elsewhere");
    await page.context().close();
  });
}

test("with a photo, and nothing of the file but its pixels is kept", async () => {
  const page = await world.page({ javaScriptEnabled: false });
  await page.goto(caseUrl);
  await page.locator("textarea").fill("here is the box");
  const picture = await phone.screenshot({ type: "jpeg" });
  await page.locator('input[type="file"]').setInputFiles({ name: "box.jpg", mimeType: "image/jpeg", buffer: picture });
  await page.locator('button[type="submit"]').click();
  await page.waitForURL(/\/c\//);
  assert.match(await page.locator("main").innerText(), /Photo received|收到照片/);
  await page.locator("textarea").fill("and this");
  await page.locator('input[type="file"]').setInputFiles({ name: "x.svg", mimeType: "image/svg+xml", buffer: Buffer.from("<svg/>") });
  await page.locator('button[type="submit"]').click();
  assert.match(await page.locator('[role="alert"]').innerText(), /not a usable photo|不是可用的照片/);
  await page.context().close();
});

test("the private link makes the rating count, and choosing a handoff reaches the courier", async () => {
  const customer = await world.page({ javaScriptEnabled: false });
  const open = links[0];
  await customer.goto(open.url);
  await customer.locator('input[name="handoff"][value="LEAVE_AT_DOOR"]').first().check({ force: true });
  await customer.locator("form", { has: customer.locator('input[value="handoff"]') }).locator("button").click();
  await customer.waitForURL(/noted=1/);
  assert.match(await customer.locator("main").innerText(), /Chosen now: Leave at the door|当前选择/);
  await shot(customer, "customer-track");
  await customer.context().close();

  // The parcel of the fourth code, found by its tail on the rating page.
  const scan = await world.page({ javaScriptEnabled: false });
  await scan.goto(codes[3]);
  const tail = await scan.locator(".what b").first().innerText();
  const mine = links.find((l) => l.waybill.endsWith(tail));
  await scan.goto(mine.url);
  await scan.goto(codes[3]);
  assert.equal(await scan.locator('input[name="code"]').count(), 0, "the share is known, no code is asked for");
  await scan.locator('input[name="stars"][value="5"]').check({ force: true });
  await scan.locator('button[type="submit"]').click();
  await scan.waitForURL(/\/thanks\//);
  assert.match(await scan.locator("main").innerText(), /verified|已核实/);
  const classes = (await world.audit()).ratings.map((r) => r.class).sort();
  assert.equal(classes.at(-1), "verified");
  await scan.context().close();
});

test("every page, both languages, both themes, all widths: axe finds nothing", async () => {
  // A fifth scan for the form: the first stop is delivered now.
  const form = await deliver(1);
  const delivered = links.find((l) => l.delivered !== false) ?? links[1];
  const look = await world.page();
  await look.goto(delivered.url);
  const pages = {
    rate: form,
    help: `${world.hub}/help`,
    suggest: `${world.hub}/suggest`,
    find: `${world.hub}/track`,
    case: caseUrl.split("?")[0],
    dead: `${world.hub}/NOTHING`,
    thanks: `${world.hub}/thanks`,
    ...Object.fromEntries(links.slice(0, 6).map((l, i) => [`track-${i}`, l.url])),
  };
  const proof = await look.locator('a[href^="/p/"]').first();
  if (await proof.count()) pages.proof = `${world.hub}${(await proof.getAttribute("href")).split("?")[0]}`;
  await look.context().close();
  let checked = 0;
  for (const colorScheme of ["light", "dark"]) {
    for (const lang of ["en", "zh-CN"]) {
      for (const width of WIDTHS) {
        const page = await world.page({ viewport: { width, height: 740 }, colorScheme, bypassCSP: true });
        for (const [name, url] of Object.entries(pages)) {
          await page.goto(`${url}?lang=${lang}`);
          assert.equal(await page.locator("html").getAttribute("lang"), lang);
          for (const summary of await page.locator("summary").all()) await summary.click();
          await check(page, `${name} ${lang} ${colorScheme} ${width}`);
          if (width === 360) await shot(page, `page-${name}-${lang}-${colorScheme}`);
          checked += 1;
        }
        await page.context().close();
      }
    }
  }
  assert.ok(checked >= 100, `${checked} pages`);
  assert.ok(pages.proof, "no proof page was found to check");
});
