// Sounds for the call tests: 8 kHz mono 16-bit WAV, and how alike two of them are.
const RATE = 8000

/** A sweep of tones with pauses: unlike itself at every other shift, so that a correlation finds one place only. */
export function sweep(seconds) {
  const samples = new Int16Array(RATE * seconds)
  let phase = 0
  for (let i = 0; i < samples.length; i++) {
    const t = i / RATE
    phase += 2 * Math.PI * (300 + 2200 * ((t * 0.7) % 1)) / RATE
    samples[i] = 9000 * Math.sin(phase) * (Math.floor(t * 5) % 3 === 2 ? 0.2 : 1)
  }
  return samples
}

export function wavOf(samples) {
  const head = Buffer.alloc(44)
  head.write('RIFF', 0); head.writeUInt32LE(36 + samples.length * 2, 4); head.write('WAVEfmt ', 8)
  head.writeUInt32LE(16, 16); head.writeUInt16LE(1, 20); head.writeUInt16LE(1, 22); head.writeUInt32LE(RATE, 24)
  head.writeUInt32LE(RATE * 2, 28); head.writeUInt16LE(2, 32); head.writeUInt16LE(16, 34); head.write('data', 36)
  head.writeUInt32LE(samples.length * 2, 40)
  return Buffer.concat([head, Buffer.from(samples.buffer)])
}

/** PCM16 or µ-law WAV -> samples; other formats throw. */
export function samplesOf(wav) {
  let at = 12, format, data
  while (at + 8 <= wav.length) {
    const id = wav.toString('latin1', at, at + 4), size = wav.readUInt32LE(at + 4)
    if (id === 'fmt ') format = { tag: wav.readUInt16LE(at + 8), rate: wav.readUInt32LE(at + 12), bits: wav.readUInt16LE(at + 22) }
    if (id === 'data') data = wav.subarray(at + 8, Math.min(wav.length, at + 8 + size))
    at += 8 + size + (size & 1)
  }
  if (!data || format?.rate !== RATE) throw new Error(`not an 8 kHz WAV: ${JSON.stringify(format)}`)
  if (format.tag === 7) return Int16Array.from(data, (u) => {
    u = ~u & 255
    const v = (((u & 15) << 3) + 132 << ((u & 112) >> 4)) - 132
    return u & 128 ? -v : v
  })
  if (format.bits !== 16) throw new Error(`not 16 bits: ${JSON.stringify(format)}`)
  return Int16Array.from({ length: data.length >> 1 }, (_, i) => data.readInt16LE(i * 2))
}

/** The best normalised correlation of `part` with a stretch of `whole`, -1..1, and where. */
export function likeness(whole, part) {
  const at = (from, step, stride) => {
    let xy = 0, xx = 0, yy = 0
    for (let i = 0; i < part.length; i += stride) {
      const x = whole[from + i] ?? 0, y = part[i]
      xy += x * y; xx += x * x; yy += y * y
    }
    return xx && yy ? xy / Math.sqrt(xx * yy) : 0
  }
  let best = { value: -1, at: 0 }
  for (let from = 0; from < Math.max(1, whole.length - part.length / 2); from++) {
    const rough = at(from, 1, 23)
    if (rough > best.value) best = { value: rough, at: from }
  }
  return { value: at(best.at, 1, 1), at: best.at }
}
