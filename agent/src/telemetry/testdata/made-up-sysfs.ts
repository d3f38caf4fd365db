import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** A tree as the kernel's sysfs has it, in a directory of a test: drives as `block/<name>` with their links in `class/block`. */
export class MadeUpSysfs {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
    for (const directory of ['block', 'class/block', 'class/nvme', 'class/scsi_generic', 'devices']) mkdirSync(path.join(root, directory), { recursive: true });
  }

  /** A drive with a directory `device`, as SCSI and NVMe ones have; `files` are named from the drive's own directory. */
  drive(name: string, files: Readonly<Record<string, string>> = {}): this {
    const own = path.join(this.root, 'devices', name);
    mkdirSync(path.join(own, 'device'), { recursive: true });
    symlinkSync(own, path.join(this.root, 'block', name));
    symlinkSync(own, path.join(this.root, 'class/block', name));
    for (const [file, text] of Object.entries(files)) this.write(name, file, text);
    return this;
  }

  write(name: string, file: string, text: string): this {
    writeFileSync(path.join(this.root, 'devices', name, file), text);
    return this;
  }
}

/** The files of a SCSI drive with these counts. */
export function scsiFiles(stat: string, { errors = 0, timeouts = 0, commands = 1_000 } = {}): Record<string, string> {
  const hexadecimal = (count: number): string => `0x${count.toString(16)}\n`;
  return {
    stat: `${stat}\n`,
    'device/ioerr_cnt': hexadecimal(errors),
    'device/iotmo_cnt': hexadecimal(timeouts),
    'device/iodone_cnt': hexadecimal(commands),
  };
}
