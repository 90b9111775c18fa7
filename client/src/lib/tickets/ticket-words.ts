import type { OrderStatus } from '@stampede/shared/protocol/messages.ts';
import type { Language } from '#lib/i18n/languages.ts';

const en = {
  title: 'My tickets',
  lead: 'Everything bought in this browser.',
  none: 'No tickets here yet',
  noneLead: 'Tickets you buy in this browser will appear here.',
  toShows: 'See what is on',
  section: 'Section',
  row: 'Row',
  seat: 'Seat',
  qr: (code: string) => `QR code of ticket ${code}`,
  print: 'Print tickets',
  calendar: 'Add to calendar',
  ordered: (date: string) => `Ordered ${date}`,
  loading: 'Fetching your tickets …',
  kept: 'There is no connection. These are the tickets kept in this browser.',
  status: {
    processing: 'Processing',
    confirmed: 'Valid',
    declined: 'Declined',
    voided: 'Cancelled',
    refunded: 'Refunded',
  } satisfies Record<OrderStatus, string>,
  others: 'Other orders',
  unknownShow: (id: string) => `Show ${id}`,
  recovery: {
    code: 'Recovery code',
    lead: 'It brings your tickets back on any device. Keep it as you keep the tickets.',
    link: 'recovery link',
    copy: 'Copy as a link',
    title: 'Bought on another device?',
    bring: 'Bring my tickets here',
    bringLead:
      'The code stands below your tickets there. What you bought in this browser stays, under a code of its own.',
    unknown: 'This code is not one of ours. Please look for a mistyped sign.',
    tooOften: 'That was a bit often. Please try again in a minute.',
    unreachable: 'We can not reach the box office. Please try again.',
  },
};

const ko: typeof en = {
  title: '내 티켓',
  lead: '이 브라우저에서 예매한 모든 티켓입니다.',
  none: '아직 티켓이 없습니다',
  noneLead: '이 브라우저에서 예매한 티켓이 여기에 나타납니다.',
  toShows: '공연 보기',
  section: '구역',
  row: '열',
  seat: '번호',
  qr: (code) => `티켓 ${code}의 QR 코드`,
  print: '티켓 인쇄',
  calendar: '캘린더에 추가',
  ordered: (date) => `${date} 주문`,
  loading: '티켓을 불러오는 중 …',
  kept: '연결이 없습니다. 이 브라우저에 보관된 티켓입니다.',
  status: {
    processing: '처리 중',
    confirmed: '유효',
    declined: '거절됨',
    voided: '취소됨',
    refunded: '환불됨',
  },
  others: '다른 주문',
  unknownShow: (id) => `공연 ${id}`,
  recovery: {
    code: '복구 코드',
    lead: '어느 기기에서든 티켓을 다시 불러옵니다. 티켓처럼 잘 보관하세요.',
    link: '복구 링크',
    copy: '링크로 복사',
    title: '다른 기기에서 예매하셨나요?',
    bring: '티켓 불러오기',
    bringLead:
      '코드는 그 기기의 티켓 아래에 있습니다. 이 브라우저에서 예매한 티켓은 자기 코드와 함께 그대로 남습니다.',
    unknown: '알 수 없는 코드입니다. 잘못 입력한 글자가 없는지 확인해 주세요.',
    tooOften: '시도가 너무 잦습니다. 1분 후 다시 시도해 주세요.',
    unreachable: '매표소에 연결할 수 없습니다. 다시 시도해 주세요.',
  },
};

/** The words of tickets come with the tickets, in every language: nobody needs them before there is one. */
export const ticketWords = { en, ko } satisfies Record<Language, typeof en>;
