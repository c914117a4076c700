import vue from '@vitejs/plugin-vue';
import {defineConfig} from 'vite';

export default defineConfig({
  plugins: [vue()],
  // A WebView may show the pages from a file of the app's.
  base: './',
  build: {
    target: 'es2020',
    // The policy of the page allows nothing that is written into it.
    assetsInlineLimit: 0,
    modulePreload: {polyfill: false},
    chunkSizeWarningLimit: 400,
  },
});
