// The customer's pages that need no delivery, in a real browser: on small and large screens, in both
// languages and both themes, checked for accessibility by axe-core.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openWorld, screenshots } from "./world.mjs";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const WIDTHS = [320, 360, 1280];
let world;
let links;

before(async () => {
  world = await openWorld();
  links = await world.customerLinks();
});

after(async () => world?.close());

const shot = (of, name) => of.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true });

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

test("pages before the delivery, both languages, both themes, all widths: axe finds nothing", async () => {
  const box = await world.page({ javaScriptEnabled: false });
  await box.goto(`${world.hub}/suggest`);
  await box.locator("textarea").fill("more lockers");
  await box.locator('button[type="submit"]').click();
  await box.waitForURL(/\/c\//);
  const caseUrl = box.url();
  await box.context().close();
  const pages = {
    help: `${world.hub}/help`,
    suggest: `${world.hub}/suggest`,
    find: `${world.hub}/track`,
    case: caseUrl.split("?")[0],
    dead: `${world.hub}/NOTHING`,
    thanks: `${world.hub}/thanks`,
    ...Object.fromEntries(links.slice(2, 3).map((l, i) => [`track-${i}`, l.url])),
  };
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
  assert.equal(checked, 84);
});
