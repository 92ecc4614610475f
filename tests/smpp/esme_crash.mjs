// One step of test_esme_crash.sh:  esme_crash.mjs submit|hold|take FILE    (FILE: the ids whose receipts are still to come)
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import smpp from 'smpp'
import { ask, inbox } from './peer.mjs'

const { AT, NUMBER, PASSWORD, DATA, CARTERFONE } = process.env
const [step, file] = process.argv.slice(2)
const [host, port] = AT.split(':')
const MESSAGES = 40, WINDOW = 10, ANSWERED = 3
const session = smpp.connect({ host, port: Number(port) })
session.on('error', () => {})
const delivers = inbox(session, 'deliver_sm')
await new Promise((done) => session.once('connect', done))
const bind = async (command) => assert.equal((await ask(session, command, { system_id: 'default', password: PASSWORD })).command_status, 0)
const text = (pdu) => pdu.short_message.message
const until = async (what, look) => { for (let n = 400; !await look(); n--) { assert.ok(n, `no ${what}`); await sleep(25) } }
const from = { source_addr_ton: 1, source_addr_npi: 1, source_addr: NUMBER.slice(1) }

if (step === 'submit') {
  await bind('bind_transmitter')
  const one = (n) => ask(session, 'submit_sm', { ...from, dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: `1206555${1000 + n}`, registered_delivery: 1, short_message: `n ${n}` })
  const ids = (await Promise.all(Array.from({ length: MESSAGES }, (_, n) => one(n)))).map((answer) => answer.message_id)
  await until('end of every message', async () => (await Promise.all(ids.map((message_id) => ask(session, 'query_sm', { message_id, ...from })))).every((a) => a.message_state === 2))
  /* one part of a message whose other comes after the crash */
  const part = await ask(session, 'submit_sm', { ...from, dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: '12065550111', registered_delivery: 1,
    short_message: { udh: Buffer.from([5, 0, 3, 9, 2, 1]), message: 'before, ' } })
  writeFileSync(file, JSON.stringify([...ids, part.message_id]))
} else if (step === 'hold') {
  await bind('bind_receiver')
  const got = []
  for (let i = 0; i < WINDOW; i++) got.push(await delivers.next())
  await assert.rejects(delivers.next(300), 'no more than a window')
  for (const pdu of got.slice(0, ANSWERED)) session.send(pdu.response())
  const taken = got.slice(0, ANSWERED).map((pdu) => pdu.receipted_message_id)
  await until('end of what was answered', () => taken.every((id) => /taken by the ESME/.test(execFileSync(CARTERFONE, ['--data', DATA, 'explain', id]).toString())))
  writeFileSync(file, JSON.stringify(JSON.parse(readFileSync(file)).filter((id) => !taken.includes(id))))
} else {
  await bind('bind_transceiver')
  const wanted = new Set(JSON.parse(readFileSync(file)))
  const last = await ask(session, 'submit_sm', { ...from, dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: '12065550111', registered_delivery: 1,
    short_message: { udh: Buffer.from([5, 0, 3, 9, 2, 2]), message: 'and after' } })
  wanted.add(last.message_id)
  let phone = 0
  for (let n = wanted.size + 1; n; n--) {
    const pdu = await delivers.next()
    session.send(pdu.response())
    if (pdu.esm_class & 4) assert.ok(wanted.delete(pdu.receipted_message_id), 'each once')
    else assert.equal(text(pdu), 'written while no ESME was bound', phone++)
  }
  assert.deepEqual([wanted.size, phone], [0, 1])
  await assert.rejects(delivers.next(300), 'nothing more')
  assert.match(execFileSync(CARTERFONE, ['--data', DATA, 'sms', 'list']).toString(), /before, and after/)
}
session.destroy()
