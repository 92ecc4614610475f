// A customer's ESME (npm smpp over node's TLS) at --smpps. Started by test_esme_tls.sh, which says where it is (AT), where the plain
// door is (PLAIN), with which authority (CA) and NUMBER, and whose log and process those are.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { promisify } from 'node:util'
import smpp from 'smpp'
import { ask, inbox } from './peer.mjs'

const { AT, PLAIN, CA, NUMBER, DATA, CARTERFONE, SERVER_LOG, SERVER_PID } = process.env
const [host, port] = AT.split(':')
const ca = readFileSync(CA)
const PHONE = '12065550111'
const US = { source_addr_ton: 1, source_addr_npi: 1, dest_addr_ton: 1, dest_addr_npi: 1, source_addr: NUMBER.slice(1), destination_addr: PHONE }
const ctl = async (...args) => (await promisify(execFile)(CARTERFONE, ['--data', DATA, ...args])).stdout
const { systemId: system_id, password } = JSON.parse(await ctl('resource', 'keys', 'default', '--json')).smpp
const secure = (options = {}) => new Promise((done, fail) => {
  const socket = connectTls({ host, port: Number(port), servername: 'localhost', ca, ...options }, () => done(socket)).once('error', fail)
})

/** Bound over TLS; the authority must prove the server, or there is no session. */
async function bound(t, command) {
  const session = smpp.connect({ tls: true, host, port: Number(port), servername: 'localhost', ca })
  t.after(() => session.destroy())
  session.on('error', () => {})
  await new Promise((done, fail) => session.once('secureConnect', done).once('close', () => fail(new Error('no TLS'))))
  assert.ok(session.socket.authorized)
  const delivers = inbox(session, 'deliver_sm')
  session.on('deliver_sm', (pdu) => session.send(pdu.response()))
  assert.equal((await ask(session, command, { system_id, password, interface_version: 0x34 })).command_status, smpp.ESME_ROK)
  return { session, delivers }
}
const leave = async ({ session }) => {
  const gone = new Promise((done) => session.once('close', done))
  assert.equal((await ask(session, 'unbind')).command_status, smpp.ESME_ROK)
  await gone
}

test('every kind of bind is served over TLS, both ways, and ends in good order', async (t) => {
  const both = await bound(t, 'bind_transceiver')
  const { command_status, message_id } = await ask(both.session, 'submit_sm', { ...US, registered_delivery: 1, short_message: 'over TLS' })
  assert.equal(command_status, smpp.ESME_ROK)
  assert.equal((await both.delivers.next()).receipted_message_id, message_id)
  assert.equal((await ask(both.session, 'enquire_link')).command, 'enquire_link_resp')
  assert.match(readFileSync(SERVER_LOG, 'utf8'), /bound as default, TLSv1\.3/)
  await leave(both)

  const sender = await bound(t, 'bind_transmitter'), receiver = await bound(t, 'bind_receiver')
  const sent = []
  for (let i = 0; i < 40; i++) sent.push(ask(sender.session, 'submit_sm', { ...US, registered_delivery: 1, short_message: '', message_payload: `${i} `.repeat(300) }))
  const ids = new Set((await Promise.all(sent)).map((answer) => answer.message_id))
  assert.equal(ids.size, 40)
  for (let i = 0; i < 40; i++) assert.ok(ids.delete((await receiver.delivers.next()).receipted_message_id))
  await ctl('handset', 'sms', `+${PHONE}`, '--to', NUMBER, 'to a receiver')
  assert.equal((await receiver.delivers.next()).short_message.message, 'to a receiver')
  await leave(sender)
  await leave(receiver)
})

test('a wrong password is told under TLS too, and nobody is believed whom the authority does not prove', async (t) => {
  const session = smpp.connect({ tls: true, host, port: Number(port), servername: 'localhost', ca })
  t.after(() => session.destroy())
  await new Promise((done) => session.once('secureConnect', done))
  assert.equal((await ask(session, 'bind_transmitter', { system_id, password: 'wrong' })).command_status, smpp.ESME_RINVPASWD)
  await assert.rejects(secure({ ca: undefined }), /self.signed|unable to/i)
  await assert.rejects(secure({ servername: 'smsc.example.net' }), /does not match/)
})

test('TLS before 1.2 is refused; 1.2 is served', async () => {
  await assert.rejects(secure({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }))
  const socket = await secure({ maxVersion: 'TLSv1.2' })
  assert.equal(socket.getProtocol(), 'TLSv1.2')
  socket.destroy()
})

test('each door knows the other\'s language for none of its own, and serves on', async (t) => {
  const bind = Buffer.from('0000001f000000020000000000000001' + Buffer.from('default\0x\0\0').toString('hex') + '34000000', 'hex')
  const heard = await new Promise((done) => {
    const octets = []
    const socket = connectTcp(Number(port), host, () => socket.write(bind))
    socket.on('data', (more) => octets.push(more)).on('error', () => {}).on('close', () => done(Buffer.concat(octets)))
  })
  assert.equal(heard[0] ?? 0x15, 0x15, 'an alert of TLS, or nothing')
  const [plainHost, plainPort] = PLAIN.split(':')
  await assert.rejects(secure({ host: plainHost, port: Number(plainPort) }))
  await leave(await bound(t, 'bind_transmitter'))
})

test('a certificate that is read again is shown to who comes next; who is bound stays so', async (t) => {
  const before = await bound(t, 'bind_transceiver')
  const shown = async () => { const socket = await secure(); const it = socket.getPeerCertificate().fingerprint256; socket.destroy(); return it }
  const old = await shown()
  rmSync(join(dirname(CA), 'server.pem'))
  process.kill(Number(SERVER_PID), 'SIGHUP')
  for (let n = 200; n && await shown() === old; n--) await sleep(50)
  assert.notEqual(await shown(), old)
  const { message_id } = await ask(before.session, 'submit_sm', { ...US, registered_delivery: 1, short_message: 'still here' })
  assert.equal((await before.delivers.next()).receipted_message_id, message_id)
  await leave(before)
})

test('a restore gives the door back where it was', async (t) => {
  await ctl('snapshot', 'here')
  await ctl('restore', 'here')
  await leave(await bound(t, 'bind_transmitter'))
})
