// The doorstep on the phone screen: consent on the spot, a group stop with mixed outcomes, a failure that
// needs a call first, a correction, and the courier's own day. The core decides; the page only shows.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { join } from "node:path";
import { openWorld, screenshots } from "./world.mjs";
import { byId, card, sign, takePhoto } from "./phone.mjs";

let world;
let page;
const shot = (name) => page.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true });
const openStop = async (position) => byId(card(page, position), "open-stop").click();
const showHandoffs = async () => page.locator("summary", { hasText: "How it is handed over" }).click();
const synced = async () => byId(page, "queue").filter({ hasText: "Everything is synced" }).waitFor({ timeout: 30_000 });
const attempts = async () => (await world.audit()).parcels.flatMap((parcel) => parcel.attempts);

before(async () => {
  world = await openWorld();
  page = await world.page();
  page.setDefaultTimeout(8_000);
  await page.goto(world.phone);
  await byId(page, "stop-card").first().waitFor();
});

after(async () => world?.close());

test("a station is shut until the customer has agreed, and a call too short is no consent", async () => {
  await openStop(4);
  await showHandoffs();
  const station = byId(page, "handoff-STATION");
  assert.equal(await station.getAttribute("data-locked"), "true");
  await station.click();
  await byId(page, "consent-form").waitFor();
  await byId(page, "channel-call").click();
  await byId(page, "call-length").fill("2");
  await byId(page, "record-consent").click();
  await byId(page, "toast").filter({ hasText: /\S/ }).waitFor();
  assert.ok(await byId(page, "consent-form").isVisible(), "two seconds opened the station");
  await shot("phone-consent");
  await byId(page, "call-length").fill("35");
  await byId(page, "consent-place").fill("Station 3");
  await byId(page, "record-consent").click();
  await byId(page, "item-STATION_RECEIPT").waitFor();
  await byId(page, "signer-name").fill("Station 3");
  await byId(page, "receipt").fill("R-4711");
  await byId(page, "inspection-declined").click();
  // No thermometer: the rules let this be left out, with a reason.
  await byId(page, "skip-TEMPERATURE").click();
  await byId(page, "skip-TEMPERATURE-DEVICE_FAULT").click();
  await takePhoto(page);
  await byId(page, "complete").click();
  await page.locator('[data-testid="item-PHOTO"].missing').waitFor();
  // Fresh goods: one photo is not enough.
  await takePhoto(page);
  await shot("phone-station");
  await byId(page, "complete").click();
  await byId(page, "toast").filter({ hasText: "Safe on this phone" }).waitFor();
  await synced();
  const [attempt] = await attempts();
  assert.equal(attempt.handoff, "STATION");
  assert.ok(attempt.consent_id, "the attempt names no consent");
});

test("one door, two parcels, two outcomes, one signature", async () => {
  if (await byId(page, "finish").isVisible()) await byId(page, "finish").click();
  await openStop(1);
  await byId(page, "parcel").nth(1).waitFor();
  const waybills = await byId(page, "parcel").evaluateAll((rows) => rows.map((row) => row.dataset.waybill));
  assert.equal(waybills.length, 2);
  await byId(page, "identity-name").click();
  await byId(page, "inspection-inspected").click();
  await byId(page, "scans").fill(waybills.join("\n"));
  await byId(page, "skip-TEMPERATURE").click();
  await byId(page, "skip-TEMPERATURE-DEVICE_FAULT").click();
  await takePhoto(page);
  await takePhoto(page);
  await sign(page);
  await byId(page, "parcel").nth(1).getByTestId("parcel-outcome").selectOption("REFUSED_DAMAGED");
  await shot("phone-group");
  await byId(page, "complete").click();
  await byId(page, "finish").click();
  await synced();
  const at = (await attempts()).filter((attempt) => attempt.handoff === "SELF");
  assert.deepEqual(at.map((attempt) => attempt.outcome).sort(), ["delivered", "failed"]);
  const proofs = at.map((attempt) => attempt.proofs.map((proof) => proof.hash).sort().join());
  assert.equal(proofs[0], proofs[1], "the two parcels do not share their proofs");
});

test("nobody at home is no reason before somebody was called", async () => {
  await openStop(2);
  await byId(page, "fail").click();
  await byId(page, "reason").selectOption("RECIPIENT_ABSENT");
  await byId(page, "record-fail").click();
  await byId(page, "toast").filter({ hasText: /[Cc]all/ }).waitFor();
  await byId(page, "call-log").click();
  await byId(page, "call-NO_ANSWER").click();
  await byId(page, "calls").filter({ hasText: "1 try logged" }).waitFor();
  await takePhoto(page);
  await byId(page, "record-fail").click();
  await card(page, 2).waitFor();
  assert.equal(await card(page, 2).getAttribute("data-state"), "failed");
});

test("a slip is undone, a wrong reason is put right, and both records stay", async () => {
  await byId(card(page, 2), "history").click();
  await byId(page, "history-line").first().waitFor();
  await byId(page, "correct-wrong_reason").click();
  await byId(page, "correct-reason").selectOption("ADDRESS_WRONG");
  await byId(page, "correction-words").fill("The house number was wrong");
  await byId(page, "correct").click();
  await byId(page, "history-line").nth(1).waitFor();
  await byId(page, "correct-undo").first().click();
  await byId(page, "parcel-history").first().and(page.locator('[data-state="ON_ROUND"]')).waitFor();
  assert.equal(await byId(page, "history-line").count(), 3, "an entry is gone");
  await shot("phone-history");
  await byId(page, "back").click();
  assert.equal(await card(page, 2).getAttribute("data-state"), "open");
  await synced();
});

test("a problem is reported with one tap and remedies are there at once", async () => {
  await openStop(5);
  await byId(page, "report").click();
  await byId(page, "report-reason").selectOption("REFUSED_DAMAGED");
  await byId(page, "send-report").click();
  await byId(page, "report-taken").waitFor();
  assert.ok((await byId(page, "remedy").count()) > 0);
  await shot("phone-report");
  await byId(page, "back").click();
});

test("the courier's own day: shift, figures with what they are counted from", async () => {
  await byId(page, "day").click();
  await byId(page, "duty").waitFor();
  await byId(page, "kpi-PROXY_SIGN").waitFor();
  const consented = page.locator('dt[data-testid="kpi-PROXY_WITH_CONSENT"] + dd');
  assert.equal(await consented.getAttribute("data-numerator"), "1");
  await shot("phone-day");
  await byId(page, "back").click();
});
