// The journey of courier and customer: everything a person sees, nothing simulated.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { join } from "node:path";
import { decodeQr, openWorld, screenshots } from "./world.mjs";
import { airplane, badge, byId, card, drawnPhoto, line, sign, takePhoto } from "./phone.mjs";

let world;
let page;
const shot = (of, name, more = {}) => of.screenshot({ path: join(screenshots, `${name}.png`), ...more });

before(async () => {
  world = await openWorld();
  page = await world.page();
  page.setDefaultTimeout(10_000);
  await page.goto(world.phone);
  await byId(page, "stop-card").first().waitFor();
});

after(async () => world?.close());

test("the route comes from the hub, masked, next stop on top", async () => {
  assert.equal(await byId(page, "stop-card").count(), 5);
  const text = await page.locator("main").innerText();
  assert.ok(!/\b(101|304)\b/.test(text), "a room number is shown");
  await shot(page, "phone-route");
});

test("the order is planned on the phone, in airplane mode, and drawn without tiles", async () => {
  await airplane(page, true);
  await byId(page, "plan").click();
  await byId(page, "map").waitFor();
  assert.match(await byId(page, "map").innerText(), /km → .* km/);
  assert.ok((await byId(page, "eta").count()) >= 5, "every open stop has its expected time");
  for (const line of ["before", "after"]) {
    const points = await page.locator(`[data-line="${line}"]`).getAttribute("points");
    assert.ok(points.split(" ").length >= 5, `the order ${line} is drawn`);
  }
  const requests = [];
  page.on("request", (request) => requests.push(request.url()));
  assert.equal(await byId(page, "why").count(), 5, "every stop says why it is where it is");
  await byId(page, "why").first().locator("summary").click();
  assert.match(await byId(page, "why").first().innerText(), /arrive \d\d:\d\d/);
  await shot(page, "phone-plan", { fullPage: true });
  assert.ok(requests.every((url) => url.startsWith(world.phone)), `something came from elsewhere: ${requests}`);
});

test("without a network the plan is made again after a wish, and says what stayed", async () => {
  const order = () => byId(page, "stop-card").evaluateAll((cards) => cards.map((card) => card.dataset.stopId));
  const planned = async () => Number((await page.request.get(`${world.phone}/api/state`).then((r) => r.json())).plan.made_at_ms);
  const after = async (click) => {
    const before = await planned();
    await click();
    while ((await planned()) === before) await page.waitForTimeout(20);
    await page.waitForTimeout(100);
  };
  const first = await order();
  await after(() => byId(page, "replan").click());
  assert.deepEqual(await order(), first, "nothing happened, nothing moves");
  const change = byId(page, "change");
  assert.equal(await change.getAttribute("data-kept"), await change.getAttribute("data-known"));

  const wanted = byId(page, "stop-card").nth(3);
  const id = await wanted.getAttribute("data-stop-id");
  await byId(wanted, "why").locator("summary").click();
  await after(() => byId(wanted, "first").click());
  assert.equal((await order())[0], id);
  assert.equal(await byId(byId(page, "stop-card").first(), "why").getAttribute("data-why"), "first");
  assert.match(await change.innerText(), /of 4 next stops kept.*moved/);
  await shot(page, "phone-replan", { fullPage: true });

  const aside = byId(page, "stop-card").nth(2);
  await byId(aside, "why").locator("summary").click();
  await after(() => byId(aside, "set_aside").click());
  await byId(page, "bring_back").waitFor();
  assert.equal(await byId(page, "why").count(), 4);
  await after(() => byId(page, "bring_back").click());
  assert.equal(await byId(page, "why").count(), 5);
  await after(() => byId(page, "delayed").click());
  await page.reload();
  await byId(page, "map").waitFor();
  assert.equal((await order())[0], id, "the plan is still there after a restart of the page");
  await airplane(page, false);
});

test("what the rules forbid is locked with its reason, what is missing is named", async () => {
  await byId(card(page, 1), "open-stop").click();
  await page.locator("summary", { hasText: "How it is handed over" }).click();
  const station = byId(page, "handoff-STATION");
  assert.ok(await station.isDisabled());
  assert.match(await station.innerText(), /door delivery/);
  await byId(page, "complete").click();
  await page.locator(".item.missing").first().waitFor();
  assert.ok((await page.locator(".item.missing").count()) >= 4);
  assert.match(await byId(page, "toast").innerText(), /Still missing/);
  await byId(page, "back").click();
});

test("a rubbish photo is refused in words and the handoff goes on", async () => {
  await byId(card(page, 2), "open-stop").click();
  await byId(page, "photo-camera").setInputFiles({ name: "x.jpg", mimeType: "image/jpeg", buffer: Buffer.from("<html>no photo</html>") });
  await byId(page, "toast").filter({ hasText: "The file is not a photo" }).waitFor();
  await byId(page, "back").click();
});

test("a blurred photo is taken with a word of warning, and so is one used before", async () => {
  await byId(card(page, 4), "open-stop").click();
  const choose = async (origin, buffer) => {
    const before = await byId(page, "photo").count();
    await byId(page, `photo-${origin}`).setInputFiles({ name: "door.jpg", mimeType: "image/jpeg", buffer });
    await byId(page, "photo").nth(before).waitFor();
    return byId(page, "photo").nth(before);
  };
  const blurred = await choose("camera", await drawnPhoto(page, { blurred: true }));
  assert.match(await blurred.innerText(), /blurred/);
  const sharp = await choose("camera", await drawnPhoto(page, { blurred: false }));
  assert.match(await sharp.innerText(), /stored/);
  // What is shown is what the core made of it, which is what the hub will show: scaled, upright, JPEG.
  const shown = await sharp.locator("img").evaluate(async (img) => {
    await img.decode();
    const type = (await fetch(img.src)).headers.get("content-type");
    return [img.naturalWidth, img.naturalHeight, type];
  });
  assert.deepEqual(shown, [1600, 1200, "image/jpeg"]);
  await byId(page, "back").click();
  await byId(card(page, 3), "open-stop").click();
  const again = await choose("gallery", await drawnPhoto(page, { blurred: false }));
  assert.match(await again.innerText(), /used before/);
  await shot(page, "phone-photo-warning");
  await byId(page, "back").click();
});

test("an odd signature is asked about, and what the hub will show is on the screen", async () => {
  await byId(card(page, 2), "open-stop").click();
  const pad = byId(page, "signature");
  assert.match(await byId(page, "disclaimer").innerText(), /I received the parcels/);
  await line(page, pad);
  const doubt = byId(page, "signature-doubt");
  await doubt.waitFor();
  assert.match(await doubt.innerText(), /straight line.*sign once more/);
  await byId(page, "signature-clear").click();
  assert.equal(await doubt.count(), 0);
  await sign(page);
  const seen = byId(page, "signature-seen");
  await seen.waitFor();
  await doubt.waitFor({ state: "detached" });
  const path = await seen.locator("path").getAttribute("d");
  assert.ok(path.length > 500, "the drawing is the core's outline");
  await shot(page, "phone-signature");
  await byId(page, "back").click();
});

test("in airplane mode a stop is completed, rated from the QR on the screen, and synced later", async () => {
  await airplane(page, true);
  await byId(card(page, 2), "open-stop").click();
  await byId(page, "identity-name").click();
  await byId(page, "age-yes").click();
  await byId(page, "inspection-inspected").click();
  await takePhoto(page);
  await shot(page, "phone-handoff");
  // Gone back, for whatever reason: the photo is still there and one is enough.
  await byId(page, "back").click();
  await byId(card(page, 2), "open-stop").click();
  await byId(page, "photo").waitFor();
  // Shown small, as it lies beside its record.
  const small = byId(page, "thumbnail");
  await small.evaluate((image) => image.decode());
  assert.equal(await small.evaluate((image) => Math.max(image.naturalWidth, image.naturalHeight)), 240);
  await byId(page, "identity-name").click();
  await byId(page, "age-yes").click();
  await byId(page, "inspection-inspected").click();
  await sign(page);
  await byId(page, "complete").click();
  const qr = byId(page, "qr");
  await qr.waitFor();
  await page.waitForFunction(() => document.querySelector("img.qr").complete);
  assert.match(await byId(page, "queue").innerText(), /On this phone only: 1 record, 2 proofs/);
  const file = join(screenshots, "phone-rating-code.png");
  await page.screenshot({ path: file });
  const [scanned] = await decodeQr(file);
  assert.equal(scanned, await qr.getAttribute("data-url"));
  assert.ok(scanned.startsWith(world.hub.toUpperCase()));
  await byId(page, "finish").click();
  assert.equal(await badge(card(page, 2)).getAttribute("data-sync"), "local");
  assert.match(await byId(page, "queue").innerText(), /On this phone only/);
  await shot(page, "phone-offline");
  const held = (await world.audit()).parcels.flatMap((parcel) => parcel.attempts);
  assert.equal(held.length, 0, "the hub has an attempt of a phone in airplane mode");

  // The customer's own phone, without JavaScript, before the attempt has reached the hub.
  const customer = await world.page({ javaScriptEnabled: false });
  await customer.goto(scanned);
  await shot(customer, "customer-rating");
  await customer.locator('input[name="stars"][value="5"]').check({ force: true });
  await customer.locator('input[name="tag_polite"]').check({ force: true });
  await customer.locator('textarea[name="comment"]').fill("Thank you <script>alert(1)</script>");
  await customer.locator('button[type="submit"]').click();
  await customer.waitForURL(/\/thanks/);
  await shot(customer, "customer-thanks");
  const again = await customer.goto(scanned);
  assert.equal(again.status(), 404, "a used code opens the form again");

  const waiting = (await world.audit()).ratings;
  assert.deepEqual(waiting.map((r) => [r.stars, r.bound]), [[5, false]]);

  await airplane(page, false);
  await page.locator('[data-testid="sync-badge"][data-sync="synced"]').waitFor({ timeout: 30_000 });
  const rating = byId(card(page, 2), "rating");
  await rating.waitFor({ timeout: 30_000 });
  assert.equal(await rating.getAttribute("data-stars"), "5");
  assert.match(await rating.innerText(), /Thank you <script>/, "the comment is shown as text");
  await shot(page, "phone-rated");

  const audit = await world.audit();
  const attempts = audit.parcels.flatMap((parcel) => parcel.attempts);
  assert.equal(attempts.length, 1);
  assert.deepEqual(attempts[0].proofs.map((p) => [p.kind, p.complete]).sort(), [["photo", true], ["signature", true]]);
  assert.deepEqual(audit.ratings.map((r) => r.bound), [true]);
});

test("a failed attempt offers only legal actions and is recorded with its reason", async () => {
  await byId(card(page, 1), "open-stop").click();
  await byId(page, "fail").click();
  await byId(page, "reason").selectOption("REFUSED_DAMAGED");
  const offered = await byId(page, "action").locator("option").evaluateAll((options) => options.map((o) => o.value));
  assert.ok(!offered.includes("SECOND_DELIVERY"), `offered ${offered}`);
  await byId(page, "record-fail").click();
  await page.locator(".item.missing").first().waitFor();
  await takePhoto(page);
  await byId(page, "record-fail").click();
  await page.locator('[data-testid="stop-card"][data-state="failed"]').waitFor();
  await page.locator('[data-testid="stop-card"][data-state="failed"] [data-sync="synced"]').waitFor({ timeout: 30_000 });
});

test("the board shows proofs and the rating, and the page speaks Chinese", async () => {
  const board = await world.page({ viewport: { width: 1280, height: 900 }, deviceScaleFactor: 1 });
  await board.goto(await world.loginLink());
  await shot(board, "board");
  assert.match(await board.locator("body").innerText(), /Delivered|已签收/);
  await board.goto(`${world.hub}/board/ratings`);
  assert.match(await board.locator("body").innerText(), /Thank you <script>/);
  await shot(board, "board-ratings");
  const stranger = await world.page();
  const refused = await stranger.goto(`${world.hub}/board`);
  assert.notEqual(refused.status(), 200, "the board opens without a login");

  await byId(page, "language").click();
  await page.locator("text=飞行模式").waitFor();
  await shot(page, "phone-zh");
});
