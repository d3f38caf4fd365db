/** The ATA SMART attributes that decisions and screens name. Sources: ATA/ATAPI-8 ACS drafts, the smartmontools drive database, Backblaze Drive Stats. */
export interface SmartAttribute {
  readonly number: number;
  readonly name: string;
  /** One of the five whose rise goes before failure in Backblaze's published analysis (2016, "What SMART Stats Tell Us About Hard Drives"). */
  readonly predictsFailure: boolean;
  readonly meaning: string;
}

export const smartAttributes: readonly SmartAttribute[] = [
  { number: 5, name: 'reallocated sectors', predictsFailure: true, meaning: 'sectors that the drive replaced by spare ones' },
  { number: 9, name: 'power-on hours', predictsFailure: false, meaning: 'age in hours of operation' },
  { number: 10, name: 'spin retries', predictsFailure: false, meaning: 'the motor needed another try to start' },
  { number: 12, name: 'power cycles', predictsFailure: false, meaning: 'times the drive was switched on' },
  { number: 187, name: 'reported uncorrectable errors', predictsFailure: true, meaning: 'reads that failed even with error correction' },
  { number: 188, name: 'command timeouts', predictsFailure: true, meaning: 'commands that the drive gave up' },
  { number: 189, name: 'high fly writes', predictsFailure: false, meaning: 'writes with the head at a wrong height' },
  { number: 194, name: 'temperature', predictsFailure: false, meaning: 'degrees Celsius' },
  { number: 196, name: 'reallocation events', predictsFailure: false, meaning: 'attempts to move a sector' },
  { number: 197, name: 'pending sectors', predictsFailure: true, meaning: 'sectors waiting to be replaced' },
  { number: 198, name: 'offline uncorrectable sectors', predictsFailure: true, meaning: 'sectors that could not be read in the background scan' },
  { number: 199, name: 'interface CRC errors', predictsFailure: false, meaning: 'damage on the cable, not on the disk' },
];

/** The name of an attribute, or its number in words. */
export function smartName(number: number | string): string {
  return smartAttributes.find((attribute) => attribute.number === Number(number))?.name ?? `SMART ${number}`;
}
