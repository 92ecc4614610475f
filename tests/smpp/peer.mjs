// What the foreign peers share: our program in a child process, spoken to in lines; npm's smpp as promises.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const program = process.env.SMPP_PEER ?? join(here, '../../build/release/smpp/smpp_peer')

/** smpp_peer with these arguments; next(/regexp/) is the first line yet unread that matches. */
export function peer(t, ...args) {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = [], waiting = []
  let ended = false
  const look = () => {
    for (const w of [...waiting]) {
      const i = lines.findIndex((line) => w.wanted.test(line))
      if (i < 0 && !ended) continue
      waiting.splice(waiting.indexOf(w), 1)
      clearTimeout(w.late)
      if (i < 0) w.fail(new Error(`our side ended before ${w.wanted}`))
      else w.done(lines.splice(i, 1)[0].match(w.wanted))
    }
  }
  createInterface({ input: child.stdout }).on('line', (line) => { lines.push(line); look() })
  const exited = new Promise((done) => child.once('exit', (code) => { ended = true; look(); done(code) }))
  const stop = async () => { child.stdin.end(); assert.equal(await exited, 0, 'our side must end cleanly') }
  t.after(() => { if (!ended) child.kill('SIGKILL') })
  return {
    lines, stop,
    say: (line) => child.stdin.write(line + '\n'),
    next: (wanted, within = 10000) => new Promise((done, fail) => {
      const w = { wanted, done, fail }
      w.late = setTimeout(() => { waiting.splice(waiting.indexOf(w), 1); fail(new Error(`no ${wanted} in ${within} ms; heard: ${lines.join(' | ')}`)) }, within)
      waiting.push(w)
      look()
    }),
  }
}

/** HOST and PORT of a simulated SMSC: a running server's, when its ready file is named, else one of our own. */
export async function simulatedSmsc(t) {
  const file = process.env.CARTERFONE_READY_FILE ?? process.env.CARTERFONE_READY
  if (file) {
    const [host, port] = JSON.parse(readFileSync(file, 'utf8')).simSmpp.split(':')
    return { host, port: Number(port), ours: null }
  }
  const ours = peer(t, 'smsc')
  const [, port] = await ours.next(/^port (\d+)$/)
  return { host: '127.0.0.1', port: Number(port), ours }
}

/** A request of npm's smpp: its answer. */
export const ask = (session, command, fields = {}) => new Promise((done, fail) => {
  const late = setTimeout(() => fail(new Error(`no answer to ${command}`)), 10000)
  session[command](fields, (answer) => { clearTimeout(late); done(answer) })
})

/** The PDUs of one command in order of arrival; next() waits for one. */
export function inbox(session, command) {
  const arrived = [], waiting = []
  session.on(command, (pdu) => { const done = waiting.shift(); if (done) done(pdu); else arrived.push(pdu) })
  return { next: (within = 10000) => arrived.length ? Promise.resolve(arrived.shift()) : new Promise((done, fail) => {
    const taker = (pdu) => { clearTimeout(late); done(pdu) }
    const late = setTimeout(() => { waiting.splice(waiting.indexOf(taker), 1); fail(new Error(`no ${command} in ${within} ms`)) }, within)
    waiting.push(taker)
  }) }
}
