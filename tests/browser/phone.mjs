// What a courier's hands do on the phone screen.

export const byId = (page, id) => page.getByTestId(id);

export const card = (page, position) => byId(page, "stop-card").filter({ has: page.locator(".number", { hasText: new RegExp(`^${position}$`) }) });

/** A picture that is one: the screen itself, as PNG. */
export async function takePhoto(page) {
  const before = await byId(page, "photo").count();
  await byId(page, "photo-camera").setInputFiles({ name: "door.png", mimeType: "image/png", buffer: await page.screenshot() });
  await byId(page, "photo").nth(before).waitFor();
}

/** Draws something like a name with the mouse. */
export async function sign(page) {
  const pad = byId(page, "signature");
  await pad.scrollIntoViewIfNeeded();
  const box = await pad.boundingBox();
  const stroke = async (x0, width, phase) => {
    for (let i = 0; i <= 40; i += 1) {
      const x = box.x + box.width * (x0 + (width * i) / 40);
      const y = box.y + box.height * (0.5 + 0.3 * Math.sin(phase + i / 2.5) * (1 - i / 60));
      if (i === 0) {
        await page.mouse.move(x, y);
        await page.mouse.down();
      } else await page.mouse.move(x, y);
    }
    await page.mouse.up();
  };
  await stroke(0.12, 0.35, 0);
  await stroke(0.55, 0.3, 1.6);
}

export const badge = (stop) => stop.getByTestId("sync-badge");

export async function airplane(page, on) {
  const toggle = byId(page, "airplane");
  if ((await toggle.getAttribute("aria-checked")) !== String(on)) await toggle.click();
  await page.locator(`[data-testid="airplane"][aria-checked="${on}"]`).waitFor();
}
