// A photo waits on the phone because its line costs money; the board asks for it with one click, and then it is there.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { join } from "node:path";
import { openWorld, screenshots } from "./world.mjs";
import { byId, card, takePhoto } from "./phone.mjs";

let world;
let phone;
let board;
const attempts = async () => (await world.audit()).parcels.flatMap((parcel) => parcel.attempts);

before(async () => {
  world = await openWorld({ metered: true });
  phone = await world.page();
  phone.setDefaultTimeout(10_000);
  await phone.goto(world.phone);
  await byId(phone, "stop-card").first().waitFor();
});

after(async () => world?.close());

/** Looks again until `seen` says so: the phone is another process and comes when it comes. */
async function until(seen, what) {
  for (const end = Date.now() + 30_000; Date.now() < end; ) {
    const found = await seen();
    if (found) return found;
    await new Promise((later) => setTimeout(later, 200));
  }
  throw new Error(`${what}: not within half a minute`);
}

test("on a line that costs money the record goes and the full photo stays", async () => {
  await byId(card(phone, 1), "open-stop").click();
  await byId(phone, "fail").click();
  await byId(phone, "reason").selectOption("REFUSED_DAMAGED");
  await takePhoto(phone);
  await byId(phone, "record-fail").click();
  const attempt = await until(async () => (await attempts())[0], "the record");
  assert.deepEqual(attempt.proofs.map((proof) => [proof.kind, proof.complete]), [["photo", false]]);

  board = await world.page({ viewport: { width: 1280, height: 900 }, deviceScaleFactor: 1, javaScriptEnabled: false });
  board.setDefaultTimeout(10_000);
  await board.goto(await world.loginLink());
  await board.goto(`${world.hub}/board?lang=en`);
  const { waybill } = (await world.audit()).parcels.find((parcel) => parcel.attempts.length > 0);
  await board.locator("a", { hasText: waybill }).first().click();
  assert.match(await board.locator("body").innerText(), /not yet here/);
  assert.equal(await board.locator('img[src^="/board/proofs/"]').count(), 0);
});

test("one click on the board, without JavaScript, and the phone sends it", async () => {
  const ask = board.getByRole("button", { name: "Ask the phone for it now" });
  await board.screenshot({ path: join(screenshots, "board-ask.png") });
  const parcel = board.url();
  await ask.click();
  assert.equal(board.url(), parcel, "the click leads away from the parcel");
  assert.equal(await ask.count(), 0, "it can be asked for twice");
  const picture = board.locator('img[src^="/board/proofs/"]');
  await until(async () => {
    await board.reload();
    return (await picture.count()) > 0;
  }, "the photo");
  const shown = await board.request.get(new URL(await picture.first().getAttribute("src"), world.hub).href);
  assert.equal(shown.headers()["content-type"], "image/jpeg");
  assert.ok((await shown.body()).length > 5_000, "no full picture");
  await board.screenshot({ path: join(screenshots, "board-asked.png") });
  const [attempt] = await attempts();
  assert.deepEqual(attempt.proofs.map((proof) => proof.complete), [true]);
});
