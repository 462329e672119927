// The customer's pages in a real browser: the whole journey by keyboard alone, without JavaScript and with
// it, on small and large screens, in both languages; every page in both themes checked by axe-core.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { byId, drawnPhoto, takePhoto } from "./phone.mjs";
import { openWorld, screenshots } from "./world.mjs";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const WIDTHS = [320, 360, 1280];
const LANGS = ["en", "zh-CN"];
const JOURNEYS = WIDTHS.flatMap((width) => LANGS.flatMap((lang) => [true, false].map((scripts) => ({ width, lang, scripts }))));

// Parcels of our own, each at its door: one for every journey, two for the forms, one for a station, one
// that stays open. All but these two may be left at the door.
const HEADS = JOURNEYS.length + 4;
const rows = Array.from({ length: HEADS }, (_, n) => {
  const consent = n < HEADS - 2 ? "LEAVE_AT_DOOR" : "";
  return `CARE-${7001 + n};一号线;云雀小区(虚构);${n + 10} 栋;37,5${100 + n};121,4${100 + n};己*;1******1${100 + n};2026-03-02 08:10;;;同城;;;${consent};;;;;;;书;2;0,8;12`;
});
const waybill = (n) => `CARE-${7001 + n}`;
const stopOf = (n) => byId(phone, "stop-card").filter({ hasText: `${n + 10} 栋` });

let world;
let phone;
let links;
/** Addresses in the codes that the phone showed, by waybill. */
const codes = new Map();

const shot = (of, name) => of.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true });

/** Hands a stop over as agreed, on the phone's screen, and keeps the address in its code. */
async function deliver(n, handoff) {
  // The list may be drawn anew by a sync just under the finger.
  for (let i = 0; i < 8 && !(await byId(phone, "complete").isVisible()); i += 1) {
    await byId(stopOf(n), "open-stop").click();
    await byId(phone, "complete").waitFor({ timeout: 3_000 }).catch(() => {});
  }
  const kind = byId(phone, `handoff-${handoff}`);
  if (!(await kind.isVisible())) await phone.locator("summary", { hasText: "How it is handed over" }).click();
  await kind.click();
  await byId(phone, "complete").waitFor();
  for (const [id, words] of [["signer-name", "Station 3"], ["receipt", "R-4711"]]) {
    if (await byId(phone, id).count()) await byId(phone, id).fill(words);
  }
  if (await byId(phone, "inspection-declined").count()) await byId(phone, "inspection-declined").click();
  if (await byId(phone, "photo-camera").count()) await takePhoto(phone);
  await byId(phone, "complete").click();
  const qr = byId(phone, "qr");
  await qr.waitFor({ timeout: 10_000 });
  const url = await qr.getAttribute("data-url");
  await byId(phone, "finish").click();
  return url;
}

/** Waits until the phone knows of a consent of this kind, and gives all that hold there. */
async function consented(stop, wanted) {
  for (let i = 0; ; i += 1) {
    const { consents } = await phone.request.get(`${world.phone}/api/stops/${stop}/consents`).then((r) => r.json());
    const valid = consents.filter((c) => c.valid).flatMap((c) => c.scope.map((s) => s.code));
    if (valid.includes(wanted) || i > 150) return valid;
    await phone.request.post(`${world.phone}/api/sync`);
    await phone.waitForTimeout(200);
  }
}

before(async () => {
  world = await openWorld({ rows });
  phone = await world.page();
  phone.setDefaultTimeout(10_000);
  await phone.goto(world.phone);
  await byId(phone, "stop-card").first().waitFor();
  links = new Map((await world.customerLinks()).map((link) => [link.waybill, link]));
  for (let n = 0; n < HEADS - 2; n += 1) codes.set(waybill(n), await deliver(n, "LEAVE_AT_DOOR"));
  // The station is the customer's own choice, on his page.
  const customer = await world.page({ javaScriptEnabled: false });
  await customer.goto(links.get(waybill(HEADS - 2)).url);
  await customer.locator('form[aria-labelledby=choice] input[value="STATION"]').check({ force: true });
  await customer.locator("form[aria-labelledby=choice] button").click();
  await customer.waitForURL(/noted=1/);
  await customer.context().close();
  await consented(await stopOf(HEADS - 2).getAttribute("data-stop-id"), "STATION");
  codes.set(waybill(HEADS - 2), await deliver(HEADS - 2, "STATION"));
  // The station's parcel shows its page once the hub knows of it.
  await phone.waitForFunction(() => !document.querySelector('[data-sync="local"], [data-sync="sending"]'), null, { timeout: 60_000 });
});

after(async () => world?.close());

/** Whatever a page asks for besides the hub. */
function foreign(page) {
  const asked = [];
  page.on("request", (request) => {
    if (!request.url().toLowerCase().startsWith(world.hub)) asked.push(request.url());
  });
  return asked;
}

async function fits(page, name) {
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), `${name} scrolls sideways`);
  const small = await page.evaluate(() =>
    [...document.querySelectorAll("button, summary, .stars label, .tags label, .top a, .foot a")]
      .filter((e) => e.offsetParent)
      .map((e) => [e.textContent.trim(), e.getBoundingClientRect()])
      .filter(([, box]) => box.height < 44 || box.width < 44)
      .map(([text]) => text),
  );
  assert.deepEqual(small, [], `${name}: touch targets under 44 px`);
}

async function check(page, name) {
  await fits(page, name);
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const found = violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).slice(0, 3).join(" | ")}`);
  assert.deepEqual(found, [], name);
}

/** Presses Tab until the focused element matches, and sees that nothing lies over it. */
async function tabTo(page, selector) {
  for (let i = 0; i < 120; i += 1) {
    await page.keyboard.press("Tab");
    const focused = page.locator(selector).and(page.locator(":focus"));
    if (await focused.count()) {
      const seen = await focused.evaluate((e) => {
        const box = e.getBoundingClientRect();
        const top = document.elementFromPoint(box.x + box.width / 2, box.y + Math.min(box.height / 2, 20));
        return box.bottom > 0 && box.top < window.innerHeight && (top === e || e.contains(top) || e.parentElement.contains(top));
      });
      assert.ok(seen, `${selector} has the focus and cannot be seen`);
      return;
    }
  }
  assert.fail(`${selector} is not reached by Tab`);
}

async function press(page, selector, key, then) {
  await tabTo(page, selector);
  await page.keyboard.press(key);
  if (then) await page.waitForURL(then);
}

const words = (page) => page.locator("main").innerText();

for (const [index, { width, lang, scripts }] of JOURNEYS.entries()) {
  test(`by keyboard at ${width} px, ${lang}, JavaScript ${scripts ? "on" : "off"}: rate, complain, follow, track, choose, prove`, async () => {
    const page = await world.page({ viewport: { width, height: 740 }, javaScriptEnabled: scripts, locale: lang === "en" ? "en-GB" : "zh-CN" });
    page.setDefaultTimeout(10_000);
    const asked = foreign(page);
    const keep = (name) => (scripts ? Promise.resolve() : shot(page, `customer-${name}-${width}-${lang}`));
    const say = (en, zh) => (lang === "en" ? en : zh);
    const number = waybill(index);

    const answer = await page.goto(codes.get(number));
    assert.equal(answer.status(), 200);
    assert.equal(await page.locator("html").getAttribute("lang"), lang);
    const bytes = (await answer.body()).length + Object.entries(answer.headers()).join("\r\n").length;
    assert.ok(bytes <= 30 * 1024, `${bytes} bytes`);
    const send = page.locator('.rate button[type="submit"]');
    const { y } = await send.boundingBox();
    assert.ok(y < 740, "stars and the button are not on one screen");
    await fits(page, "rate");
    await keep("rate");
    await press(page, 'input[name="stars"]', "Space");
    await page.keyboard.press("ArrowRight");
    await press(page, 'input[name="attitude"]', "Space");
    await press(page, 'input[name="tag_patient"]', "Space");
    await tabTo(page, "textarea");
    await page.keyboard.type("was shouted at");
    await press(page, 'button[type="submit"]', "Enter", /\/thanks\//);

    assert.match(await words(page), /\d{6}-[0-9A-Z]{8}/, "the case number is there at once");
    assert.ok(await page.locator('input[name="reason"][value="attitude"]').isChecked(), "the reason is filled in");
    assert.equal(await page.locator("textarea").inputValue(), "was shouted at");
    await keep("thanks");
    await press(page, 'button[type="submit"]', "Enter", /\/c\//);
    assert.match(await words(page), new RegExp(say("2 \\(delay, attitude\\)", "二级")));
    await keep("case");
    const again = await page.goto(codes.get(number));
    assert.equal(again.status(), 404, "a used code opens the form again");

    // The waybill alone opens nothing; with the message's code it opens the customer's own page.
    const find = async (which, code) => {
      await page.goto(`${world.hub}/track`);
      await tabTo(page, "#waybill");
      await page.keyboard.type(waybill(which));
      await tabTo(page, "#code");
      await page.keyboard.type(code);
      await page.keyboard.press("Enter");
    };
    if (index === 0) {
      await find(index, "12");
      await page.locator('[role="alert"]').waitFor();
    }
    await find(index, links.get(number).code);
    await page.waitForURL(/\/t\//);
    assert.match(await words(page), new RegExp(say("Delivered", "已签收|已妥投|送达")));
    await keep("delivered");
    await press(page, 'a[href^="/p/"]', "Enter", /\/p\//);
    assert.match(await words(page), new RegExp(say("Entry hash", "记录哈希")));
    assert.ok(!/己先|CARE-/.test(await words(page)), "the proof names somebody");
    await keep("proof");

    const open = HEADS - 1;
    await find(open, links.get(waybill(open)).code);
    await page.waitForURL(/\/t\//);
    await tabTo(page, 'input[name="handoff"]');
    const wanted = index % 2 ? "NEIGHBOUR" : "LEAVE_AT_DOOR";
    for (let i = 0; i < 8 && !(await page.locator(`form:has(input[value="handoff"]) input[value="${wanted}"]`).isChecked()); i += 1) {
      await page.keyboard.press("ArrowDown");
    }
    await tabTo(page, "#whom");
    await page.keyboard.type(`5-50${index % 10}`);
    await press(page, 'button[type="submit"]', "Enter", /noted=1/);
    assert.match(await words(page), new RegExp(`5-50${index % 10}`));
    await keep("choice");
    assert.deepEqual(asked, [], "something was asked for elsewhere");
    await page.context().close();
  });
}

test("what the customer chose stands on the courier's phone", async () => {
  const stop = await stopOf(HEADS - 1).getAttribute("data-stop-id");
  assert.deepEqual(await consented(stop, "NEIGHBOUR"), ["NEIGHBOUR"]);
});

test("a rating reaches the courier with what it counts for; his appeal opens a case and its answer comes back", async () => {
  const low = byId(phone, "stop-card").filter({ has: phone.locator('[data-testid="rating"][data-stars="2"]') }).first();
  await low.waitFor({ timeout: 60_000 });
  const rating = byId(low, "rating").first();
  assert.equal(await rating.getAttribute("data-class"), "present");
  assert.match(await rating.innerText(), /Scanned only[\s\S]*Patient[\s\S]*Attitude 1\/5[\s\S]*was shouted at/);
  const id = await low.getAttribute("data-stop-id");
  await byId(low, "appeal").first().click();
  await byId(phone, "appeal-words").fill("the guard shouted, I did not <b>");
  await shot(phone, "phone-appeal");
  await byId(phone, "send-appeal").click();
  const stop = phone.locator(`[data-stop-id="${id}"]`);
  await stop.locator('[data-testid="appealed"]:not([data-case=""])').waitFor({ timeout: 60_000 });
  assert.match(await byId(stop, "appealed").innerText(), /I did not <b>/);
  const number = await byId(stop, "appealed").getAttribute("data-case");

  const board = await world.page({ viewport: { width: 1280, height: 900 } });
  await board.goto(await world.loginLink());
  await board.goto(`${world.hub}/board/cases?lang=en`);
  const mine = board.locator("section.card", { hasText: number });
  assert.match(await mine.innerText(), /Courier's appeal[\s\S]*We answer[\s\S]*the guard shouted/);
  await mine.locator('input[name="words"]').fill("We have asked the guard: set aside");
  await mine.locator('button[value="solution"]').click();
  await board.context().close();
  await byId(stop, "appeal-answer").waitFor({ timeout: 60_000 });
  await stop.scrollIntoViewIfNeeded();
  await phone.screenshot({ path: join(screenshots, "phone-appealed.png") });
});

test("with a photo, and a file that is none is refused in words", async () => {
  const page = await world.page({ javaScriptEnabled: false });
  await page.goto(links.get(waybill(0)).url);
  await page.locator('a[href^="/c/"]').first().click();
  await page.locator("textarea").fill("here is the box");
  await page.locator('input[type="file"]').setInputFiles({ name: "box.jpg", mimeType: "image/jpeg", buffer: await drawnPhoto(phone, { blurred: false }) });
  await page.locator('button[type="submit"]').click();
  await page.locator("text=Photo received").waitFor();
  await page.locator("textarea").fill("and this");
  await page.locator('input[type="file"]').setInputFiles({ name: "x.svg", mimeType: "image/svg+xml", buffer: Buffer.from("<svg/>") });
  await page.locator('button[type="submit"]').click();
  assert.match(await page.locator('[role="alert"]').innerText(), /not a usable photo/);
  await page.context().close();
});

test("the private link makes the rating count, and it can be changed", async () => {
  const number = waybill(JOURNEYS.length);
  const page = await world.page({ javaScriptEnabled: false });
  await page.goto(links.get(number).url);
  for (const stars of [5, 3]) {
    await page.goto(codes.get(number));
    assert.equal(await page.locator('input[name="code"]').count(), 0, "the share is known, no code is asked for");
    await page.locator(`input[name="stars"][value="${stars}"]`).check({ force: true });
    await page.locator('button[type="submit"]').click();
    await page.waitForURL(/\/thanks\//);
    assert.match(await words(page), /verified/);
  }
  const standing = (await world.audit()).ratings.filter((r) => r.class === "verified");
  assert.deepEqual(standing.map((r) => r.stars), [3]);
  await page.context().close();
});

test("a parcel at a station: its channel, the appointment and the demand, each with its case", async () => {
  const page = await world.page({ javaScriptEnabled: false });
  await page.goto(links.get(waybill(HEADS - 2)).url);
  assert.match(await words(page), /Pickup point[\s\S]*Have it brought from the station/);
  await page.locator("#book-day").fill(new Date(Date.now() + 86_400_000).toISOString().slice(0, 10));
  await page.locator("form[aria-labelledby=book] button").click();
  await page.waitForURL(/\/c\//);
  assert.match(await words(page), /\d{6}-[0-9A-Z]{8}[\s\S]*Delivery to the door/);
  await page.context().close();
});

test("every page, both languages, both themes, all widths: axe finds nothing", async () => {
  const look = await world.page({ javaScriptEnabled: false });
  await look.goto(links.get(waybill(0)).url);
  const path = async (prefix) => (await look.locator(`a[href^="${prefix}"]`).first().getAttribute("href")).split("?")[0];
  const rated = await (async () => {
    const page = await world.page({ javaScriptEnabled: false });
    await page.goto(codes.get(waybill(JOURNEYS.length + 1)));
    // The form with what is wrong said in it: sent without stars.
    await page.locator('input[name="stars"][value="1"]').check({ force: true });
    await page.locator('button[type="submit"]').click();
    await page.waitForURL(/\/thanks\//);
    const url = page.url().split("?")[0];
    await page.context().close();
    return url;
  })();
  const held = await look.context().storageState();
  const pages = {
    rate: codes.get(waybill(JOURNEYS.length)),
    thanks: rated,
    "thanks-bare": `${world.hub}/thanks`,
    case: world.hub + (await path("/c/")),
    proof: world.hub + (await path("/p/")),
    delivered: links.get(waybill(0)).url,
    open: links.get(waybill(HEADS - 1)).url,
    station: links.get(waybill(HEADS - 2)).url,
    help: `${world.hub}/help`,
    suggest: `${world.hub}/suggest`,
    find: `${world.hub}/track`,
    dead: `${world.hub}/NOTHING`,
  };
  await look.goto(links.get(waybill(JOURNEYS.length)).url);
  const share = await look.context().storageState();
  assert.ok(held.cookies.length && share.cookies.length, "the browser is not remembered");
  await look.context().close();
  let checked = 0;
  for (const colorScheme of ["light", "dark"]) {
    for (const lang of LANGS) {
      for (const width of WIDTHS) {
        const page = await world.page({ viewport: { width, height: 740 }, colorScheme, bypassCSP: true, storageState: share });
        for (const [name, url] of Object.entries(pages)) {
          const answer = await page.goto(`${url}?lang=${lang}`);
          assert.equal(answer.status(), name === "dead" ? 404 : 200, name);
          assert.equal(await page.locator("html").getAttribute("lang"), lang);
          for (const summary of await page.locator("summary").all()) await summary.click();
          await check(page, `${name} ${lang} ${colorScheme} ${width}`);
          if (width === 360) await shot(page, `page-${name}-${lang}-${colorScheme}`);
          checked += 1;
        }
        // The form again, with what is wrong said in it.
        await page.goto(`${pages.rate}?lang=${lang}`);
        await page.evaluate(() => { document.querySelector("form").noValidate = true; document.querySelectorAll("[name=stars]").forEach((e) => (e.checked = false)); });
        await page.locator('button[type="submit"]').click();
        await page.locator('[role="alert"]').waitFor();
        await check(page, `rate again ${lang} ${colorScheme} ${width}`);
        await page.context().close();
      }
    }
  }
  assert.equal(checked, 12 * 12);
});

test("the page that a proxy shows while the hub is down is as good a page, and asks for nothing", async () => {
  const html = await world.downPage();
  for (const colorScheme of ["light", "dark"]) {
    for (const width of WIDTHS) {
      const page = await world.page({ viewport: { width, height: 740 }, colorScheme, bypassCSP: true });
      const asked = foreign(page);
      await page.setContent(html);
      assert.match(await words(page), /仍然有效[\s\S]*stay valid/);
      await check(page, `down ${colorScheme} ${width}`);
      assert.deepEqual(asked, []);
      if (width === 360) await shot(page, `page-down-${colorScheme}`);
      await page.context().close();
    }
  }
});
