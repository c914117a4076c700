// What has become of a check-in, in words.
import type {Marks} from './messages/zhibu/api/v1/api_pb';
import {say} from './words';

export interface CheckIn { standing?: string; marks?: string[]; codes?: string[]; at?: string; memberId?: string; activityId?: string }

const why = (mark: string): string => ({
  LATE_CODE: say('签到码已过时', 'the code was late'),
  CLOCK_OFF: say('设备时钟不准', 'the clock was off'),
  DISPLAY_REVOKED: say('出示设备后被停用', 'the device that showed it was revoked later'),
} as Record<string, string>)[mark] ?? mark;

export function checkInWords(json: CheckIn, marks?: Marks): {text: string; tone: string} {
  if (marks?.returned) return {text: say('被退回', 'Returned'), tone: 'bad'};
  if (marks?.held) return {text: say('待审', 'Held, others decide'), tone: 'warn'};
  if (marks?.pending && marks.delivered) return {text: say('已由他人送达，待回执', 'Brought by a courier, not answered yet'), tone: 'warn'};
  if (marks?.pending) return {text: say('已保存在本机，未送达', 'Kept on this device, not sent yet'), tone: 'warn'};
  if (json.standing === 'VERIFIED') return {text: say('已送达，已核验', 'Arrived and verified'), tone: 'good'};
  if (json.standing === 'MARKED') {
    const reasons = (json.marks ?? []).map(why).join(say('、', ', '));
    return {text: say(`已送达，存疑：${reasons}`, `Arrived, in doubt: ${reasons}`), tone: 'warn'};
  }
  if ((json.codes ?? []).length === 0) return {text: say('已送达', 'Arrived'), tone: 'good'};
  return {text: say('已送达，待核验', 'Arrived, to be verified'), tone: 'warn'};
}
