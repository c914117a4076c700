// What people are told, in the language that they have chosen; Chinese first.
import {computed, ref} from 'vue';
import {Tongue, type Error as CoreRefusal} from './messages/zhibu/api/v1/api_pb';

export const tongue = ref<Tongue>(Tongue.CHINESE);
export const english = computed(() => tongue.value === Tongue.ENGLISH);

export const say = (zh: string, en: string): string => (english.value ? en : zh);
// Where a rule has its words from.
export const sourceOf = (source: string): string => (source === 'local' ? say('本系统的约定', 'of this system') : source);

export const wordsOf = (why: CoreRefusal): string => say(why.wordsZh, why.wordsEn);
