import { defineEntity, p } from '@mikro-orm/sql';

export const recoveryTable = defineEntity({
  name: 'Recovery',
  tableName: 'recoveries',
  properties: {
    codeDigest: p.string().primary(),
    sessionId: p.string(),
    createdAt: p.bigint('number'),
  },
});
