import {createApp} from 'vue';
import App from './App.vue';
import {openCore} from './core/ask';
import {begin} from './device';
import {router} from './router';

void openCore().then((core) => {
  createApp(App).use(router).mount('#app');
  return begin(core);
});
