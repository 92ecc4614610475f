// Which versions of the SMS API have opt-outs and delivery reports; messages found by what they are, in pages, by our API and the CLI.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import test from 'node:test'
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { connectionString, eventually, key, lease, own, randomUUID, signed } from './harness.mjs'

const stable = ['2021-03-07', '2022-07-07', '2024-01-02', '2024-02-05', '2025-09-17', '2026-01-23']
const previews = ['2024-02-05-preview', '2024-12-10-preview', '2025-05-29-preview', '2025-08-01-preview']
const numbers = new PhoneNumbersClient(connectionString)
const from = await lease(numbers, { areaCode: '833', sms: 'inbound+outbound' })
const kind = '+12065550100', silent = '+12065550161', undelivered = '+12065550160', slow = '+12065550162'
const ask = async (method, target, version, body, as = key) => {
  const answer = await signed(as, method, `${target}?api-version=${version}`, body)
  return { status: answer.status, type: answer.headers.get('content-type'), body: JSON.parse(await answer.text()) }
}
const send = (version, options, to = kind, more = {}) =>
  ask('POST', '/sms', version, { from, smsRecipients: [{ to, ...more }], message: 'versions', smsSendOptions: options && { enableDeliveryReport: true, ...options } })
const sent = async (version, options, to, more) => {
  const answer = await send(version, options, to, more)
  assert.equal(answer.status, 202, JSON.stringify(answer.body))
  return answer.body.value[0].messageId
}
const report = (id, version = '2026-01-23') => ask('GET', `/deliveryReports/${id}`, version)
const message = (id) => own('GET', `messages/${id}`)
const state = (id, wanted) => eventually(`${id} is ${wanted}`, async () => (await message(id)).state === wanted)

test('how long a text is of use has the name and the bounds of the version', async () => {
  const [early, late] = ['validityPeriodSeconds', 'deliveryReportTimeoutInSeconds']
  const bounds = { '2021-03-07': {}, '2022-07-07': { [early]: [1] }, '2024-01-02': {}, '2024-02-05': { [early]: [60, 43200] },
    '2024-02-05-preview': { [early]: [60, 43200] }, '2024-12-10-preview': { [late]: [60, 43200] }, '2025-05-29-preview': { [late]: [60, 43200] },
    '2025-08-01-preview': { [late]: [60, 43200] }, '2025-09-17': { [late]: [60, 43200] }, '2026-01-23': { [late]: [60, 43200] } }
  assert.deepEqual(Object.keys(bounds).sort(), [...stable, ...previews].sort())
  for (const [version, known] of Object.entries(bounds))
    for (const name of [early, late]) {
      const [least, most] = known[name] ?? []
      const takes = async (seconds) => (await send(version, { [name]: seconds })).status === 202
      const told = await sent(version, { [name]: 3600 })
      const said = (await own('GET', `explain/${told}`)).lines.some((l) => l.step === 'validity')
      assert.equal(said, Boolean(known[name]), `${version} ${name}`)
      assert.equal(await takes((least ?? 1) - 1), !least, `${version} ${name} below`)
      assert.ok(await takes(least ?? -1) && await takes(most ?? 2147483647), `${version} ${name} at its bounds`)
      assert.equal(await takes((most ?? 2147483647) + 1), !known[name], `${version} ${name} above`)
    }
})

test('opt-outs and the delivery report are refused in versions that have none', async () => {
  for (const version of [...stable, ...previews]) {
    const optouts = await ask('POST', '/sms/optouts:check', version, { from, recipients: [{ to: kind }] })
    assert.equal(optouts.status, version >= '2024-12-10' ? 200 : 400, version)
    if (version < '2024-12-10')
      assert.equal(optouts.body.error.code, 'UnsupportedApiVersion')
  }
  for (const version of [...stable, ...previews, '2027-01-01']) {
    const has = ['2025-08-01-preview', '2026-01-23', '2027-01-01'].includes(version)
    const answer = await report('Outgoing_nothing', version)
    assert.equal(answer.status, has ? 404 : 400, version)
    if (!has) assert.deepEqual([answer.body.error.code, answer.body.error.target], ['UnsupportedApiVersion', 'api-version'])
  }
})

test('messages are found by state, numbers, tag and time, in pages; the CLI shows the same', async () => {
  const tag = `found ${randomUUID()}`, since = (await own('GET', 'clock')).productTime
  const ids = []
  for (const to of [kind, undelivered, kind, silent, kind]) ids.push(await sent('2026-01-23', { tag }, to))
  for (const [i, wanted] of ['delivered', 'failed', 'delivered', 'submitted', 'delivered'].entries()) await state(ids[i], wanted)
  const found = async (filter) => {
    const all = []
    for (let link = `messages?${new URLSearchParams({ tag, ...filter })}`; link; ) {
      const page = await own('GET', link)
      assert.ok(page.value.length <= (filter.limit ?? 100))
      all.push(...page.value.map((m) => ids.indexOf(m.messageId)))
      link = page.nextLink?.replace('/carterfone/v1/', '')
    }
    return all
  }
  assert.deepEqual(await found({}), [4, 3, 2, 1, 0])
  assert.deepEqual(await found({ limit: 2 }), [4, 3, 2, 1, 0])
  assert.deepEqual(await found({ state: 'delivered' }), [4, 2, 0])
  assert.deepEqual(await found({ state: 'delivered', limit: 1 }), [4, 2, 0])
  assert.deepEqual(await found({ state: 'submitted' }), [3])
  assert.deepEqual(await found({ state: 'received' }), [])
  assert.deepEqual(await found({ to: undelivered }), [1])
  assert.deepEqual(await found({ from, to: kind }), [4, 2, 0])
  assert.deepEqual(await found({ from: kind }), [])
  assert.deepEqual(await found({ since }), [4, 3, 2, 1, 0])
  assert.deepEqual(await found({ until: since }), [])
  assert.deepEqual(await found({ since: (await message(ids[3])).createdAt }), [4, 3])
  for (const [name, value] of [['state', 'lost'], ['since', 'yesterday'], ['before', 'Outgoing_1'], ['limit', '0']])
    await assert.rejects(own('GET', `messages?${name}=${value}`), (e) => e.statusCode === 400 && e.error.target === name, name)
  const ctl = (...args) => execFileSync(process.env.CARTERFONE, ['sms', 'list', '--tag', tag, ...args, '--data', process.env.CARTERFONE_DATA], { encoding: 'utf8' })
  const table = ctl('--state', 'delivered', '--limit', '2')
  assert.ok(table.includes(ids[4]) && table.includes(ids[2]) && !table.includes(ids[0]))
  assert.match(table, new RegExp(`older ones: --before ${ids[2]}`))
  assert.match(ctl('--state', 'delivered', '--before', ids[2]), new RegExp(ids[0]))
})
