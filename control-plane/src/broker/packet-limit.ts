import type { Client } from 'aedes';
import { largestMessageBytes } from './access-rules.ts';

/** The part of mqtt-packet's parser that learns a packet's length, which Aedes offers no setting for. */
interface LengthParser {
  packet: { length: number };
  _parseLength(): boolean;
  _emitError(error: Error): void;
}

/** Refuse a packet by the length its header claims, before any of it is buffered; the connection is closed. */
export function limitPackets(client: Client): void {
  const parser = (client as unknown as { _parser: LengthParser })._parser;
  const parseLength = parser._parseLength.bind(parser);
  parser._parseLength = () => {
    const isKnown = parseLength();
    // Topic, packet number and header add a little to the payload.
    if (!isKnown || parser.packet.length <= largestMessageBytes + 512) return isKnown;
    parser._emitError(new Error('packet too large'));
    return false;
  };
}
