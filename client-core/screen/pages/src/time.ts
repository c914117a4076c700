// Days and times are China's, wherever the device is.
import {say} from './words';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const chinaMs = 8 * hour;

const inChina = (ms: number): string => new Date(ms + chinaMs).toISOString();

// 2026-01-31 09:00
export const timeOf = (ms: number): string => inChina(ms).slice(0, 16).replace('T', ' ');
// As datetime-local has it, and a Timestamp in JSON.
export const localOf = (timestamp: string): string => inChina(Date.parse(timestamp)).slice(0, 16);
export const timestampOf = (local: string): string =>
  new Date(`${local}:00+08:00`).toISOString().replace('.000Z', 'Z');

// What comes so many days after a day.
export const daysAfter = (from: string, days: number): string =>
  new Date(Date.parse(from) + days * day).toISOString().slice(0, 10);
export const daysBetween = (from: string, until: string): number =>
  Math.round((Date.parse(until) - Date.parse(from)) / day);

// 2 小时前
export function ago(ms: number, nowMs: number): string {
  const past = nowMs - ms;
  if (past < minute) return say('刚刚', 'just now');
  if (past < hour) return say(`${Math.floor(past / minute)} 分钟前`, `${Math.floor(past / minute)} min ago`);
  if (past < day) return say(`${Math.floor(past / hour)} 小时前`, `${Math.floor(past / hour)} h ago`);
  return say(`${Math.floor(past / day)} 天前`, `${Math.floor(past / day)} days ago`);
}
