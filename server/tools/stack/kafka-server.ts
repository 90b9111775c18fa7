import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { runGuarded } from '../checks/child-process.ts';
import type { ServerPlace, ServerRecipe } from './native-server.ts';
import { cachedFolder } from './package-cache.ts';
import { LOOPBACK } from './ports.ts';
import { majorOf, provideProgram, versionOf } from './programs.ts';
import { type Report, TaskError } from '../tasks/task.ts';

const POM = join(import.meta.dirname, 'kafka', 'pom.xml');
const JAVA_MAJOR_MIN = 17;
/**
 * A broker for one sale on one machine: a heap that grows only under load, and the quick compiler alone. The thorough
 * one would double the time to start and work beside everything else on the same few cores.
 */
const JVM = ['-Xms128m', '-Xmx512m', '-XX:TieredStopAtLevel=1'];
const DOWNLOAD_WITHIN_MS = 600_000;
const FORMAT_WITHIN_MS = 60_000;
const PING_WITHIN_MS = 3_000;
const READY_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 20_000;

/** Who alone may use a broker. */
export interface KafkaAccount {
  readonly username: string;
  readonly password: string;
}

/**
 * The broker's own jars, run by the machine's Java: one node that is broker and controller (KRaft).
 * @param account null: whoever reaches its port may use it
 */
export async function kafkaRecipe(
  report: Report,
  account: KafkaAccount | null = null,
): Promise<ServerRecipe> {
  const java = await provideJava(report);
  const jars = await provideJars(report);
  const program = ['-cp', `${jars}/*`, ...JVM, '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'];
  return {
    name: 'kafka',
    product: `Kafka ${brokerVersion()}`,
    portCount: 2,
    readyWithinMs: READY_WITHIN_MS,
    stopWithinMs: STOP_WITHIN_MS,
    async prepare(place) {
      const properties = writeProperties(place, account, join(place.folder, 'data'), 'server.properties');
      if (!existsSync(join(place.folder, 'data'))) await formatStorage(java, program, place, account, report);
      return { command: java, args: [...program, 'kafka.Kafka', properties] };
    },
    url: ({ ports }) => `${LOOPBACK}:${ports[0]}`,
    ping: (place) => pingKafka(place, account),
  };
}

function brokerVersion(): string {
  const version = /kafka_2\.13<\/artifactId>\s*<version>([^<]+)</.exec(readFileSync(POM, 'utf8'))?.[1];
  if (version === undefined) throw new TaskError(`${POM} doesn't say which Kafka it wants.`);
  return version;
}

async function provideJava(report: Report): Promise<string> {
  const java = await provideProgram('java', 'default-jre-headless', report);
  const version = await versionOf(/version "(\d+[.\d]*)/, java, ['-version']);
  if (majorOf(version) >= JAVA_MAJOR_MIN) return java;
  throw new TaskError(`kafka: ${java} is Java ${version}; Kafka needs ${JAVA_MAJOR_MIN} or newer.`);
}

/** Maven checks every jar against its checksum; a strict run fails on the first that differs. */
async function provideJars(report: Report): Promise<string> {
  const pomHash = createHash('sha256').update(readFileSync(POM)).digest('hex').slice(0, 12);
  return cachedFolder(`kafka-${brokerVersion()}-${pomHash}`, async (folder) => {
    const maven = await provideProgram('mvn', 'maven', report);
    report('downloading the broker from Maven Central (once; 45 MB)');
    const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${folder}`];
    const args = ['--quiet', '--batch-mode', '--strict-checksums', '--file', POM, ...goal];
    const { code, output } = await runGuarded(maven, args, { withinMs: DOWNLOAD_WITHIN_MS });
    if (code !== 0) throw new TaskError(`kafka: Maven could not bring the broker:\n${output.trim()}`);
  });
}

/** Twenty-two characters, like every id of a Kafka cluster. The same place has the same id for good. */
function clusterId({ password }: ServerPlace): string {
  return createHash('sha256').update(password).digest().subarray(0, 16).toString('base64url');
}

/** As docker-compose.yml has it: SASL PLAIN for everybody, the broker itself included. */
function accountProperties({ username, password }: KafkaAccount): Readonly<Record<string, string>> {
  const login = `username="${username}" password="${password}" user_${username}="${password}"`;
  return {
    'listener.security.protocol.map': 'BROKER:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT',
    'sasl.enabled.mechanisms': 'PLAIN',
    'sasl.mechanism.inter.broker.protocol': 'PLAIN',
    'listener.name.broker.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required ${login};`,
  };
}

function writeProperties(
  { folder, ports }: ServerPlace,
  account: KafkaAccount | null,
  data: string,
  name: string,
): string {
  const listeners = `BROKER://${LOOPBACK}:${ports[0]},CONTROLLER://${LOOPBACK}:${ports[1]}`;
  const properties = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@${LOOPBACK}:${ports[1]}`,
    listeners,
    'advertised.listeners': `BROKER://${LOOPBACK}:${ports[0]}`,
    'listener.security.protocol.map': 'BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'BROKER',
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': data,
    // Topics are created with stated partitions and retention; a misspelt one must not spring up.
    'auto.create.topics.enable': 'false',
    // What a cluster spreads over several nodes must be content with one.
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '4',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'share.coordinator.state.topic.num.partitions': '1',
    // One that was killed is still registered, and may come back only when this has passed (9 s unless told).
    'broker.session.timeout.ms': '4000',
    'broker.heartbeat.interval.ms': '1000',
    // The first member of a group needn't wait for others that may never come.
    'group.initial.rebalance.delay.ms': '0',
    ...(account && accountProperties(account)),
  };
  mkdirSync(folder, { recursive: true });
  const file = join(folder, name);
  writeFileSync(file, Object.entries(properties).map(([key, value]) => `${key}=${value}\n`).join('')); // prettier-ignore
  return file;
}

/** Formats beside and moves into place, so that data is either there whole or not at all. */
async function formatStorage(
  java: string,
  program: readonly string[],
  place: ServerPlace,
  account: KafkaAccount | null,
  report: Report,
): Promise<void> {
  report('formatting its storage');
  const draft = join(place.folder, 'data.new');
  rmSync(draft, { recursive: true, force: true });
  const properties = writeProperties(place, account, draft, 'format.properties');
  const args = ['format', `--cluster-id=${clusterId(place)}`, '--config', properties];
  const { code, output } = await runGuarded(java, [...program, 'kafka.tools.StorageTool', ...args], {
    withinMs: FORMAT_WITHIN_MS,
  });
  if (code !== 0) throw new TaskError(`kafka: its storage could not be formatted:\n${output.trim()}`);
  renameSync(draft, join(place.folder, 'data'));
}

async function pingKafka(place: ServerPlace, account: KafkaAccount | null): Promise<void> {
  const kafka = new Kafka({
    brokers: [`${LOOPBACK}:${place.ports[0]}`],
    logLevel: logLevel.NOTHING,
    connectionTimeout: PING_WITHIN_MS,
    requestTimeout: PING_WITHIN_MS,
    retry: { retries: 0 },
    ...(account && { sasl: { mechanism: 'plain', ...account } }),
  });
  const admin = kafka.admin();
  try {
    await admin.connect();
    const cluster = await admin.describeCluster();
    if (cluster.clusterId !== clusterId(place)) throw new Error('another broker answers at this port');
    if (cluster.brokers.length === 0) throw new Error('no broker has joined yet');
  } finally {
    await admin.disconnect();
  }
}
