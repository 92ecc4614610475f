// `smsc test`: a report of what an SMSC does, tried on links of its own. The last test adds a real carrier.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import test from 'node:test'
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { connectionString, lease, own, refused } from './harness.mjs'

const from = await lease(new PhoneNumbersClient(connectionString), { areaCode: '833', sms: 'inbound+outbound' })
const smsc = (settings) => own('PATCH', 'sim/smsc', settings)
const tried = async (name, more = {}) => Object.fromEntries((await own('POST', `smscs/${name}/:test`, more)).checks.map((c) => [c.check, c]))
const submits = { from, to: '+12065550100', wait: 3 }

test('a kind SMSC passes, and its receipts are read', async () => {
  const checks = await tried('sim', { ...submits, burst: 200 })
  for (const check of ['bind transceiver', 'bind transmitter', 'bind receiver', 'enquire_link', 'submit_sm', 'receipt', 'message_payload', 'window and throttling', 'unbind'])
    assert.equal(checks[check]?.verdict, 'ok', `${check}: ${JSON.stringify(checks[check])}`)
  assert.match(checks.receipt.detail, /stat:DELIVRD, by text and TLVs; its id is decimal digits, the answer's: --receipt-id same/)
  assert.match(checks['window and throttling'].detail, /^200 submits, 100 unanswered at once: 200 taken .*; none throttled$/)
})

test('without a number nothing is submitted', async () => {
  const before = (await own('GET', 'sim/smsc')).counts.accepted
  assert.deepEqual(Object.keys(await tried('sim')), ['bind transceiver', 'enquire_link', 'unbind', 'bind transmitter', 'bind receiver'])
  assert.equal((await own('GET', 'sim/smsc')).counts.accepted, before)
})

test('what is difficult about an SMSC is in the report', async (t) => {
  t.after(() => own('POST', 'sim/smsc/:reset', {}))
  await smsc({ answerId: 'hex', receiptId: 'dec', receiptAs: 'text', rate: 20, burst: 20, enquireLink: 'ignored' })
  const checks = await tried('sim', { ...submits, burst: 60 })
  assert.match(checks.receipt.detail, /by text; .*the answer's in decimal: --receipt-id hex-dec/)
  assert.match(checks['window and throttling'].detail, /throttled by ESME_RTHROTTLED/)
  assert.equal(checks.enquire_link.verdict, 'no')
})

test('an SMSC that refuses binds, or is not there, says why', async (t) => {
  t.after(() => own('POST', 'sim/smsc/:reset', {}))
  await smsc({ bindsPerSystemId: 1 })
  assert.match((await tried('sim'))['bind transceiver'].detail, /ESME_RALYBND: the live bind/)
  await own('POST', 'smscs', { name: 'gone', host: '127.0.0.1:9', systemId: 'x', simulated: true })
  assert.equal((await tried('gone'))['bind transceiver'].verdict, 'no')
  assert.equal((await refused(() => own('POST', 'smscs/nobody/:test', {}), 404)).innererror.code, 'SmscNotFound')
})

test('a bad SMSC has a no for each thing it does not do', async (t) => {
  t.after(() => own('POST', 'sim/smsc/:reset', {}))
  const said = (checks, check) => [checks[check]?.verdict, checks[check]?.detail]
  await smsc({ refusePercent: 100, refuseStatus: 'ESME_RSUBMITFAIL' })
  const refuses = await tried('sim', { ...submits, burst: 20 })
  assert.deepEqual(said(refuses, 'submit_sm'), ['no', 'ESME_RSUBMITFAIL'])
  assert.deepEqual(said(refuses, 'message_payload'), ['no', 'ESME_RSUBMITFAIL'])
  assert.equal(refuses.receipt, undefined)
  assert.equal(refuses['window and throttling'].verdict, 'no')
  assert.match(refuses['window and throttling'].detail, /: 0 taken .*refused by ESME_RSUBMITFAIL$/)
  await own('POST', 'sim/smsc/:reset', {})
  await smsc({ receipts: 'never' })
  const silent = await tried('sim', { ...submits, wait: 1 })
  assert.equal(silent.submit_sm.verdict, 'ok')
  assert.equal(silent.receipt.verdict, 'unknown')
  await smsc({ receipts: null, bindStatus: 'ESME_RINVPASWD' })
  const closed = await tried('sim', submits)
  assert.deepEqual(Object.entries(closed).map(([check, c]) => [check, c.verdict, c.detail]),
    ['transceiver', 'transmitter', 'receiver'].map((bind) => [`bind ${bind}`, 'no', 'ESME_RINVPASWD']))
})

test('the command line prints the report and ends with 1 when something is refused', async () => {
  const run = (...words) => new Promise((done) => {
    const child = spawn(process.env.CARTERFONE, ['smsc', 'test', ...words, '--data', process.env.CARTERFONE_DATA])
    let out = ''
    child.stdout.on('data', (piece) => { out += piece })
    child.on('close', (code) => done({ code, out }))
  })
  const good = await run('sim', '--from', from, '--to', '+12065550101')
  assert.equal(good.code, 0, good.out)
  assert.match(good.out, /^receipt +ok +after/m)
  assert.equal((await run('gone')).code, 1)
})

test('a simulated number does not leave by a real carrier, not even in a test', async () => {
  await own('POST', 'smscs', { name: 'real', host: '127.0.0.1:9', systemId: 'x' })
  const { innererror } = await refused(() => own('POST', 'smscs/real/:test', submits), 403)
  assert.equal(innererror.code, 'SmscTestOtherSide')
})
