/**
 * Reading and rewriting the symbol versions of a 64-bit little-endian ELF library, just enough to let a library
 * that was linked against a newer C library load under an older one. Field offsets follow the ELF-64 object file
 * format and the "GNU symbol versioning" chapter of the Linux Standard Base.
 */

const SECTION_VERSION_NEEDS = 0x6ffffffe; // SHT_GNU_verneed: which versions of which library are asked for
const SECTION_VERSION_INDEXES = 0x6fffffff; // SHT_GNU_versym: one version index per dynamic symbol
const SECTION_DYNAMIC_SYMBOLS = 11; // SHT_DYNSYM
const SYMBOL_BYTES = 24;
const VERSION_FLAG_WEAK = 0x2; // VER_FLG_WEAK: the loader doesn't insist on this version
const VERSION_HIDDEN_BIT = 0x8000;

/** @typedef {{ offset: number, size: number, link: number, type: number }} Section */
/** @typedef {{ library: string, version: string, index: number, flagsOffset: number }} VersionNeed */
/** @typedef {{ name: string, nameOffset: number, nameFieldOffset: number, indexOffset: number, index: number }} UndefinedSymbol */
/** @typedef {{ needs: VersionNeed[], undefinedSymbols: UndefinedSymbol[] }} SymbolVersions */

/**
 * @param {Buffer} bytes
 * @returns {Section[]}
 */
function readSections(bytes) {
  const isElf = bytes.length > 64 && bytes.readUInt32BE(0) === 0x7f454c46;
  if (!isElf || bytes[4] !== 2 || bytes[5] !== 1) throw new Error('not a 64-bit little-endian ELF file');
  const tableOffset = Number(bytes.readBigUInt64LE(40));
  const entryBytes = bytes.readUInt16LE(58);
  const count = bytes.readUInt16LE(60);
  return Array.from({ length: count }, (_, i) => {
    const at = tableOffset + i * entryBytes;
    return {
      type: bytes.readUInt32LE(at + 4),
      offset: Number(bytes.readBigUInt64LE(at + 24)),
      size: Number(bytes.readBigUInt64LE(at + 32)),
      link: bytes.readUInt32LE(at + 40),
    };
  });
}

/**
 * @param {Section[]} sections
 * @param {number} type
 * @returns {Section}
 */
function sectionOfType(sections, type) {
  const section = sections.find((candidate) => candidate.type === type);
  if (!section) throw new Error(`the ELF file has no section of type 0x${type.toString(16)}`);
  return section;
}

/**
 * @param {Buffer} bytes
 * @param {Section[]} sections
 * @param {Section} owner the section whose names stand in the string table it links to
 */
function nameReader(bytes, sections, owner) {
  const strings = sections[owner.link];
  if (!strings) throw new Error('an ELF section names a string table that is not there');
  return (/** @type {number} */ nameOffset) => {
    const start = strings.offset + nameOffset;
    return bytes.toString('latin1', start, bytes.indexOf(0, start));
  };
}

/**
 * What versions a library asks of others, and its undefined symbols with the version each is bound to.
 *
 * @param {Buffer} bytes the whole file
 * @returns {SymbolVersions} every offset is a position in `bytes`
 * @throws when the file is not ELF-64 little-endian or carries no version tables
 */
export function readSymbolVersions(bytes) {
  const sections = readSections(bytes);
  const needSection = sectionOfType(sections, SECTION_VERSION_NEEDS);
  const needName = nameReader(bytes, sections, needSection);
  /** @type {VersionNeed[]} */
  const needs = [];
  for (let at = needSection.offset, next = -1; next !== 0; at += next) {
    const library = needName(bytes.readUInt32LE(at + 4));
    let entry = at + bytes.readUInt32LE(at + 8);
    for (let left = bytes.readUInt16LE(at + 2); left > 0; left--) {
      const version = needName(bytes.readUInt32LE(entry + 8));
      needs.push({ library, version, index: bytes.readUInt16LE(entry + 6), flagsOffset: entry + 4 });
      entry += bytes.readUInt32LE(entry + 12);
    }
    next = bytes.readUInt32LE(at + 12);
  }

  const symbolSection = sectionOfType(sections, SECTION_DYNAMIC_SYMBOLS);
  const indexSection = sectionOfType(sections, SECTION_VERSION_INDEXES);
  const symbolName = nameReader(bytes, sections, symbolSection);
  /** @type {UndefinedSymbol[]} */
  const undefinedSymbols = [];
  for (let i = 1; i < symbolSection.size / SYMBOL_BYTES; i++) {
    const at = symbolSection.offset + i * SYMBOL_BYTES;
    if (bytes.readUInt16LE(at + 6) !== 0) continue; // st_shndx 0 means undefined: another library must supply it
    const nameOffset = bytes.readUInt32LE(at);
    const indexOffset = indexSection.offset + i * 2;
    const index = bytes.readUInt16LE(indexOffset) & ~VERSION_HIDDEN_BIT;
    undefinedSymbols.push({
      name: symbolName(nameOffset),
      nameOffset,
      nameFieldOffset: at,
      indexOffset,
      index,
    });
  }
  return { needs, undefinedSymbols };
}

/**
 * A copy of the library that no longer needs `version` of `library`: each symbol bound to it is renamed by
 * dropping `prefix` and bound to `baseVersion` instead, and the version itself becomes optional.
 *
 * @param {Buffer} bytes left as it is
 * @param {{ library: string, version: string, baseVersion: string, prefix: string }} repair
 * @returns {Buffer} of the same length
 * @throws when the file doesn't ask for both versions, or a symbol bound to `version` lacks the prefix
 */
export function withoutVersion(bytes, { library, version, baseVersion, prefix }) {
  const { needs, undefinedSymbols } = readSymbolVersions(bytes);
  const find = (/** @type {string} */ wanted) => {
    const need = needs.find((candidate) => candidate.library === library && candidate.version === wanted);
    if (!need) throw new Error(`the library doesn't ask for ${wanted} of ${library}`);
    return need;
  };
  const unwanted = find(version);
  const base = find(baseVersion);

  const repaired = Buffer.from(bytes);
  for (const symbol of undefinedSymbols) {
    if (symbol.index !== unwanted.index) continue;
    if (!symbol.name.startsWith(prefix)) {
      throw new Error(`${symbol.name} is bound to ${version} and has no older namesake`);
    }
    // The plain name is the tail of the prefixed one, so the string table itself stays untouched.
    repaired.writeUInt32LE(symbol.nameOffset + prefix.length, symbol.nameFieldOffset);
    repaired.writeUInt16LE(base.index, symbol.indexOffset);
  }
  const flags = repaired.readUInt16LE(unwanted.flagsOffset);
  repaired.writeUInt16LE(flags | VERSION_FLAG_WEAK, unwanted.flagsOffset);
  return repaired;
}
