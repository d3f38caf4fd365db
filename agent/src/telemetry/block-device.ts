import { existsSync, readdirSync, realpathSync } from 'node:fs';
import path from 'node:path';

export type BlockDevice = { readonly name: string } | { readonly unknownBecause: string };

/** Ways of smartctl (`-d`) to a drive behind a controller or multiplexer: what the kernel has under the path is the volume, or the controller itself. */
const hidden = /\b(megaraid|sssraid|3ware|areca|aacraid|cciss|hpt|jmb39x|intelliprop)\b/;

/**
 * The kernel's block device of a drive that smartctl reaches at a path: also through a link in `/dev/disk/by-id`, a partition, a generic SCSI device
 * (`/dev/sg3`) or an NVMe controller (`/dev/nvme0`), whose namespaces may carry another number than it.
 *
 * @param sysfs where sysfs is mounted
 * @param type how smartctl reaches the drive: `sat`, `nvme`, `megaraid,3`
 */
export function blockDeviceOf(sysfs: string, devicePath: string, type: string): BlockDevice {
  if (hidden.test(type)) return { unknownBecause: `a controller hides the drive from the kernel (${type})` };
  const name = path.basename(followed(devicePath));
  if (/^sg\d+$/.test(name)) return theOnly(listed(path.join(sysfs, 'class/scsi_generic', name, 'device/block')), name);
  if (/^nvme\d+$/.test(name)) return theOnly(namespacesOf(sysfs, name), name);
  const place = followed(path.join(sysfs, 'class/block', name));
  if (existsSync(path.join(place, 'partition'))) return { name: path.basename(path.dirname(place)) };
  if (!existsSync(path.join(sysfs, 'block', name))) return { unknownBecause: `the kernel has no block device ${name}` };
  return { name };
}

function theOnly(names: readonly string[], of: string): BlockDevice {
  if (names.length === 0) return { unknownBecause: `the kernel has no block device of ${of}` };
  if (names.length > 1) return { unknownBecause: `${of} has ${names.length} block devices, each with counters of its own: ${names.join(', ')}` };
  return { name: names[0]! };
}

/** With several paths to one drive a controller lists `nvme0c1n1`, and the block device that is read and written is `nvme0n1` (Linux, drivers/nvme/host/multipath.c). */
function namespacesOf(sysfs: string, controller: string): string[] {
  const names = listed(path.join(sysfs, 'class/nvme', controller)).flatMap((entry) => {
    const parts = /^nvme(\d+)(?:c\d+)?n(\d+)$/.exec(entry);
    return parts === null ? [] : [`nvme${parts[1]}n${parts[2]}`];
  });
  return [...new Set(names)];
}

function listed(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function followed(name: string): string {
  try {
    return realpathSync(name);
  } catch {
    return name;
  }
}
