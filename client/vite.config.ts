import adapter from '@sveltejs/adapter-static';
import { sveltekit } from '@sveltejs/kit/vite';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

/** Where the server listens in development; the built client comes from the server itself. */
const SERVER = `http://127.0.0.1:${process.env['PORT'] ?? '8083'}`;

const pathOf = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

export default defineConfig({
  plugins: [
    sveltekit({
      // A show's page is the same for every show, so unknown paths get the fallback and the browser does the rest.
      adapter: adapter({ fallback: '200.html', precompress: true }),
      // The hash of the one inline script is known only here; the server's header adds what a meta tag can't say.
      csp: { mode: 'hash', directives: { 'script-src': ['self'] } },
      // Registered by those who have tickets (tickets/offline-page.ts).
      serviceWorker: { register: false },
    }),
  ],
  // Everybody waits for the script of the show's page at the same moment, so what it does not use stays out of it.
  resolve: {
    alias: {
      'd3-transition': pathOf('src/lib/seat-map/glide.ts'),
      msgpackr: pathOf('src/lib/wire/message-pack.ts'),
    },
    // From 3.0.2 on it is a single module, which brings d3-color along; our 3.0.1 gives d3-zoom the one function it asks for.
    dedupe: ['d3-interpolate'],
  },
  build: {
    rolldownOptions: {
      output: {
        codeSplitting: {
          // Files that are always fetched together compress better as one. SvelteKit's own must stay apart: it reads
          // what the page tells it when it is first run, so nothing that runs before may bring it along.
          groups: [
            {
              name: 'everywhere',
              test: /src\/lib\/(i18n\/(?!en|ko)|layout\/(?!SiteHeader)|notices|shows\/PhaseBadge|ticket-paper|api|browser-shelf|ticker)/,
            },
            { name: 'live', test: /shared\/src\/|node_modules\/@msgpack\/|seat-map\/seat-order/ },
            // Of the show's page: with it comes what its later parts have in common, but not SvelteKit's history.
            { name: 'sale', test: /src\/lib\/(sale\/(?!reviewing)|queue|cart\/(HoldCountdown|SeatLines))/ },
          ],
        },
      },
    },
  },
  server: {
    proxy: {
      '/api': { target: SERVER },
      '/socket': { target: SERVER, ws: true },
    },
  },
});
