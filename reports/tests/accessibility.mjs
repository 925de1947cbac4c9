// Opens pages in headless Chromium, narrow and wide, light and dark, all details open, and fails if axe finds anything serious, if a page is
// wider than the screen, or if it asks for anything but itself.
//
//   npm install --no-save --prefix target/axe axe-core puppeteer-core
//   node reports/tests/accessibility.mjs PAGE...
//
// CHROMIUM names the browser; /usr/bin/chromium if absent. It needs no network.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(resolve('target/axe/package.json'));
const { default: puppeteer } = await import(pathToFileURL(require.resolve('puppeteer-core')));
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const browser = await puppeteer.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
let problems = 0;
const complain = (text) => { problems += 1; console.log(text); };

for (const file of process.argv.slice(2)) {
  const url = pathToFileURL(resolve(file)).href;
  for (const width of [390, 1280]) {
    for (const scheme of ['light', 'dark']) {
      const where = `${file}, ${width} px, ${scheme}`;
      const page = await browser.newPage();
      page.on('request', (request) => { if (request.url() !== url) complain(`${where}: asks for ${request.url()}`); });
      // Only so that axe can be put into the page; the page itself is not changed.
      await page.setBypassCSP(true);
      await page.setViewport({ width, height: 900 });
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
      await page.goto(url);
      await page.evaluate(() => document.querySelectorAll('details').forEach((details) => { details.open = true; }));
      const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (wider > 0) complain(`${where}: ${wider} px wider than the screen`);
      await page.evaluate(axe);
      const { violations, passes } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
      for (const found of violations) {
        const text = `${where}: ${found.impact}: ${found.id}, ${found.nodes.length} times, as ${found.nodes[0].html.slice(0, 120)}`;
        if (['serious', 'critical'].includes(found.impact)) complain(text); else console.log(text);
      }
      console.log(`${where}: ${passes.length} rules of axe hold, ${violations.length} do not`);
      await page.close();
    }
  }
}
await browser.close();
process.exit(problems === 0 && process.argv.length > 2 ? 0 : 1);
