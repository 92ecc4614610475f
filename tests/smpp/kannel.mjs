// Kannel as the client of a simulated SMSC, configured as docs/simulator.md says:
//   kannel.mjs HOST:PORT of the SMSC [msg-id-type]
// An SMPP server is told as SYSTEM_ID, PASSWORD and FROM, whose messages it is to send; untold, the page's own.
// Sends 1,000 messages by its HTTP door, and wants 1,000 delivery reports by HTTP, each for a message that was sent. Every message
// that the SMSC sends from handsets meanwhile is wanted, too, when MO_WANTED says how many.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync, existsSync } from 'node:fs'
import { Agent, createServer, get } from 'node:http'
import { createServer as createTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const MESSAGES = 1000, AT_ONCE = 40, PATIENCE_MS = 60000
const [smsc, idType] = process.argv.slice(2)
const moWanted = Number(process.env.MO_WANTED ?? 0)
const from = encodeURIComponent(process.env.FROM ?? '+18335550100')
const folder = mkdtempSync(join(process.env.TMPDIR ?? tmpdir(), 'kannel-'))
const children = []

const freePort = () => new Promise((done) => {
  const server = createTcp().listen(0, '127.0.0.1', () => { const { port } = server.address(); server.close(() => done(port)) })
})

async function until(what, test) {
  for (const end = Date.now() + PATIENCE_MS; !test(); await sleep(20)) {
    if (children.some((c) => c.exitCode !== null)) throw new Error(`Kannel ended before ${what}`)
    if (Date.now() > end) throw new Error(`no ${what} in ${PATIENCE_MS} ms`)
  }
}

/** The file of the documentation with ports, folder and SMSC of this test. */
async function configuration(received) {
  const page = readFileSync(new URL('../../docs/simulator.md', import.meta.url), 'utf8')
  let conf = page.match(/```kannel\n([\s\S]*?)```/)[1]
  const ports = { 13000: await freePort(), 13001: await freePort(), 13013: await freePort(), 13080: received }
  for (const [written, ours] of Object.entries(ports)) conf = conf.replaceAll(written, ours)
  conf = conf.replaceAll('/tmp/kannel', folder).replace(/port = 12775/, `port = ${smsc.split(':')[1]}`)
  if (process.env.SYSTEM_ID) conf = conf.replace(/smsc-username = .*/, `smsc-username = ${process.env.SYSTEM_ID}`)
  if (process.env.PASSWORD) conf = conf.replace(/smsc-password = .*/, `smsc-password = ${process.env.PASSWORD}`)
  assert.ok(conf.includes(smsc.split(':')[1]), 'the page names the port of the SMSC')
  if (idType) conf = conf.replace('group = smsbox', '').replace(/(group = smsc\n)/, `$1msg-id-type = ${idType}\n`).replace(/(bearerbox-host)/, 'group = smsbox\n$1')
  writeFileSync(join(folder, 'kannel.conf'), conf)
  return { sendsms: ports[13013], smsbox: ports[13001] }
}

function start(program) {
  const child = spawn(`/usr/sbin/${program}`, ['-v', '4', join(folder, 'kannel.conf')], { cwd: folder, stdio: 'ignore' })
  child.on('error', (e) => { console.log(`${program}: ${e.message}`); process.exitCode = 1 })
  children.push(child)
  return child
}

async function stop() {
  for (const child of children.reverse()) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    const ended = new Promise((done) => child.once('exit', done))
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), 5000)
    await ended
    clearTimeout(late)
  }
}

const log = (name) => existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'latin1') : ''
const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })
const ask = (url) => new Promise((done, fail) => get(url, { agent }, (response) => {
  let body = ''
  response.on('data', (piece) => { body += piece }).on('end', () => done({ status: response.statusCode, body }))
}).on('error', fail))

const reports = new Map(), received = []
const door = createServer((request, response) => {
  const url = new URL(request.url, 'http://test')
  if (url.pathname === '/report') reports.set(url.searchParams.get('n'), [...(reports.get(url.searchParams.get('n')) ?? []), url.searchParams.get('type')])
  else received.push([url.searchParams.get('from'), url.searchParams.get('text')])
  response.end()
})
await new Promise((done) => door.listen(0, '127.0.0.1', done))
const here = door.address().port
const ports = await configuration(here)

async function sendAll() {
  let next = 0
  const one = async () => {
    for (let n = next++; n < MESSAGES; n = next++) {
      const report = encodeURIComponent(`http://127.0.0.1:${here}/report?n=${n}&type=%d`)
      const to = `%2B1206555${String(1000 + n % 100).padStart(4, '0')}`
      const { status, body } = await ask(`http://127.0.0.1:${ports.sendsms}/cgi-bin/sendsms?username=tester&password=secret&from=${from}&to=${to}` +
        `&text=message+${n}&dlr-mask=3&dlr-url=${report}`)
      assert.equal(status, 202, body)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, one))
}

try {
  start('bearerbox')
  await until('a bearerbox that listens', () => /Added interface|smsbox|Starting/i.test(log('bearerbox.log')) && /bind_transceiver_resp/.test(log('bearerbox.log')))
  start('smsbox')
  await until('an smsbox', () => /Started thread|Connected to/i.test(log('smsbox.log')))
  for (let tries = 200; ; tries--) {
    if (await ask(`http://127.0.0.1:${ports.sendsms}/cgi-bin/sendsms`).then(() => true, () => false)) break
    assert.ok(tries, 'smsbox does not listen')
    await sleep(25)
  }
  const begun = Date.now()
  await sendAll()
  await until(`${MESSAGES} reports`, () => reports.size >= MESSAGES)
  const took = Date.now() - begun
  for (let n = 0; n < MESSAGES; n++) assert.deepEqual(reports.get(String(n)), ['1'], `message ${n} is reported as delivered, once`)
  await until(`${moWanted} messages from handsets`, () => received.length >= moWanted)
  assert.equal(new Set(received.map(([, text]) => text)).size, received.length, 'no message from a handset comes twice')
  console.log(`Kannel sent ${MESSAGES} messages and had ${reports.size} reports in ${took} ms; ${received.length} messages from handsets`)
} catch (e) {
  console.log(`FAILED: ${e.message}; ${reports.size} reports, ${received.length} messages from handsets`)
  console.log(log('bearerbox.log').split('\n').filter((l) => /ERROR|PANIC|WARNING/.test(l)).slice(-20).join('\n'))
  process.exitCode = 1
} finally {
  await stop()
  door.closeAllConnections()
  door.close()
  agent.destroy()
}
