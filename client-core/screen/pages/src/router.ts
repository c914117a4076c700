// The pages by their addresses. What is on the first page comes with it; the rest when it is opened.
import {createRouter, createWebHashHistory} from 'vue-router';
import Home from './pages/Home.vue';

export const router = createRouter({
  history: createWebHashHistory(),
  scrollBehavior: (_to, _from, saved) => saved ?? {top: 0},
  routes: [
    {path: '/', component: Home},
    {path: '/sync', component: () => import('./pages/Sync.vue')},
    {path: '/decide/:what', component: () => import('./pages/Decide.vue')},
    {path: '/due', component: () => import('./pages/Due.vue')},
    {path: '/search', component: () => import('./pages/Search.vue')},
    {path: '/catalogue', component: () => import('./pages/Catalogue.vue')},
    {path: '/list/:type', component: () => import('./pages/List.vue')},
    {path: '/record/:type/:id', component: () => import('./pages/Record.vue')},
    {path: '/new/:type', component: () => import('./pages/Form.vue')},
    {path: '/edit/:type/:id', component: () => import('./pages/Form.vue')},
    {path: '/sketch/:place', component: () => import('./pages/Form.vue')},
    {path: '/amend/:amends', component: () => import('./pages/Form.vue')},
    {path: '/check-in/:id', component: () => import('./pages/CheckIn.vue')},
    {path: '/scan', component: () => import('./pages/Scan.vue')},
    {path: '/pass', component: () => import('./pages/Pass.vue')},
    {path: '/verify', component: () => import('./pages/Verify.vue')},
    {path: '/stays', component: () => import('./pages/Stays.vue')},
    {path: '/accesses', component: () => import('./pages/Accesses.vue')},
    {path: '/me', component: () => import('./pages/Me.vue')},
    {path: '/:elsewhere(.*)', redirect: '/'},
  ],
});
