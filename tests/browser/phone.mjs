// What a courier's hands do on the phone screen.

export const byId = (page, id) => page.getByTestId(id);

export const card = (page, position) => byId(page, "stop-card").filter({ has: page.locator(".number", { hasText: new RegExp(`^${position}$`) }) });

let taken = 0;

/** A picture that is one: the screen itself, as PNG; cut so that no two are the same. */
export async function takePhoto(page) {
  const before = await byId(page, "photo").count();
  taken += 1;
  const { width, height } = page.viewportSize();
  const clip = { x: 0, y: 0, width, height: height - 8 * (taken % 20) };
  await byId(page, "photo-camera").setInputFiles({ name: "door.png", mimeType: "image/png", buffer: await page.screenshot({ clip }) });
  await byId(page, "photo").nth(before).waitFor();
}

/** A parcel at a door as a camera would give it, in focus or not. */
export async function drawnPhoto(page, { blurred }) {
  const base64 = await page.evaluate((blur) => {
    const canvas = new OffscreenCanvas(2000, 1500);
    const draw = canvas.getContext("2d");
    if (blur) draw.filter = "blur(24px)";
    draw.fillStyle = "#8a9a8a";
    draw.fillRect(0, 0, 2000, 1500);
    draw.fillStyle = "#7a4b2a";
    draw.fillRect(900, 150, 900, 1300);
    draw.fillStyle = "#c9a063";
    draw.fillRect(350, 800, 700, 500);
    draw.fillStyle = "#f4f4f0";
    draw.fillRect(450, 900, 360, 260);
    draw.fillStyle = "#111";
    for (let line = 0; line < 8; line += 1) draw.fillRect(470, 920 + line * 28, 180 + ((line * 53) % 130), 10);
    return canvas.convertToBlob({ type: "image/jpeg", quality: 0.92 }).then(
      (blob) => new Promise((done) => {
        const reader = new FileReader();
        reader.onload = () => done(reader.result.split(",")[1]);
        reader.readAsDataURL(blob);
      }),
    );
  }, blurred);
  return Buffer.from(base64, "base64");
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

/** Draws one straight line with the mouse. */
export async function line(page, pad) {
  await pad.scrollIntoViewIfNeeded();
  const box = await pad.boundingBox();
  await page.mouse.move(box.x + box.width * 0.1, box.y + box.height * 0.5);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.9, box.y + box.height * 0.52, { steps: 30 });
  await page.mouse.up();
}

export const badge = (stop) => stop.getByTestId("sync-badge");

export async function airplane(page, on) {
  const toggle = byId(page, "airplane");
  if ((await toggle.getAttribute("aria-checked")) !== String(on)) await toggle.click();
  await page.locator(`[data-testid="airplane"][aria-checked="${on}"]`).waitFor();
}
