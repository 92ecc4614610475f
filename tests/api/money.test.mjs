// What is charged, against the price table: a number, SMS both ways, calls; invoices, renewals, spend caps.
import assert from 'node:assert/strict'
import test from 'node:test'
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { SmsClient } from '@azure/communication-sms'
import { connectionString, envelope, eventually, lease, own, resourceUnder, sleep } from './harness.mjs'

const usage = async (query) => {
  const all = []
  for (let next = `usage?${query}`; next;) {
    const page = await own('GET', next)
    all.push(...page.value)
    next = page.nextLink?.replace('/carterfone/v1/', '')
  }
  return all
}
const sum = (rows) => rows.reduce((total, row) => total + row.microUsd, 0)
const handset = '+12065550101'

/** A customer of its own: numbers, SMS, account name. */
async function customer(account) {
  const connection = await resourceUnder(account, { offer: 'payg', billingCountry: 'US' })
  return { account, numbers: new PhoneNumbersClient(connection), sms: new SmsClient(connection), resource: `${account}-res` }
}

test('a number, its texts and its calls cost what the price table says, and the invoice is their sum', async () => {
  const c = await customer('sums')
  const from = await lease(c.numbers, { areaCode: '844', calling: 'inbound+outbound', sms: 'inbound+outbound' })
  const { value: prices } = await own('GET', `price?to=${encodeURIComponent(handset)}&from=${encodeURIComponent(from)}`)
  assert.equal(prices.length, 1)
  const [price] = prices
  assert.equal(price.monthlyMicroUsd, 2000000)

  const [sent] = await c.sms.send({ from, to: [handset], message: 'x'.repeat(161) })     // two segments
  await own('POST', `handsets/${encodeURIComponent(handset)}/:sms`, { to: from, text: 'one segment' })
  const call = await own('POST', 'calls', { from, to: '+12065550102' })
  await eventually('the answer', async () => (await own('GET', `calls/${call.id}`)).state === 'connected')
  await own('POST', 'clock/:advance', { seconds: 61 })
  await own('POST', `calls/${call.id}/:hangup`)
  const refused = await own('POST', 'calls', { from, to: '+12065550150' })                // busy: nobody answers, nothing is charged
  await eventually('the refusal', async () => (await own('GET', `calls/${refused.id}`)).state === 'disconnected')

  const rows = await eventually('six charges', async () => {
    const found = await usage(`account=${c.account}`)
    return found.length >= 6 && found
  })
  const of = (kind) => rows.filter((row) => row.kind === kind)
  assert.equal(rows.length, 6, JSON.stringify(rows.map((r) => r.kind)))
  assert.deepEqual(of('lease').map((r) => [r.number, r.quantity, r.microUsd]), [[from, 1, price.monthlyMicroUsd]])
  assert.match(of('lease')[0].cause, /^purchase_[0-9a-f-]{36}$/)
  assert.deepEqual(of('smsOut').map((r) => [r.part, r.quantity, r.microUsd, r.surchargeMicroUsd, r.cause]),
    [0, 1].map((part) => [part, 1, price.sms.microUsdPerSegment, price.sms.surchargeMicroUsd, sent.messageId]))
  assert.deepEqual(of('smsIn').map((r) => [r.quantity, r.microUsd]), [[1, price.sms.receiveMicroUsdPerSegment]])
  assert.deepEqual(of('callOut').map((r) => [r.quantity, r.unitMicroUsd, r.microUsd, r.cause]),
    [[2, price.call.microUsdPerStartedMinute, 2 * price.call.microUsdPerStartedMinute, call.id]])
  assert.deepEqual(of('voipLeg').map((r) => [r.quantity, r.microUsd]), [[2, 2 * price.call.voipLegMicroUsdPerStartedMinute]])

  const invoice = await own('GET', `invoice?account=${c.account}`)
  assert.equal(invoice.microUsd, sum(rows))
  assert.equal(sum(invoice.lines), sum(rows))
  assert.equal(sum(invoice.totals), sum(rows))
  for (const line of invoice.lines) assert.equal(line.microUsd, line.quantity * line.unitMicroUsd)
  const month = invoice.lines.find((line) => line.kind === 'lease')
  assert.ok(month.proRataMicroUsd > 0 && month.proRataMicroUsd <= month.microUsd && month.period.to > month.period.from)
  for (const by of ['kind', 'day', 'number', 'destination'])
    assert.equal(sum(await usage(`account=${c.account}&by=${by}`)), sum(rows), by)
  assert.deepEqual((await usage(`account=${c.account}&limit=1`)).map((r) => r.cause), rows.map((r) => r.cause))
  assert.equal((await usage(`account=${c.account}&kind=smsOut`)).length, 2)
  assert.equal((await usage(`account=${c.account}&number=${encodeURIComponent('+18005550000')}`)).length, 0)

  await (await c.numbers.beginReleasePhoneNumber(from)).pollUntilDone()
  const after = (await own('GET', `invoice?account=${c.account}`)).lines.find((line) => line.kind === 'lease')
  assert.equal(after.microUsd, month.microUsd, 'a release gives nothing back')
  assert.ok(after.releasedAt && after.unusedMicroUsd > 0)
})

test('a leased number is charged for each month, in order, however far the clock moves', async () => {
  const c = await customer('months')
  const number = await lease(c.numbers, { areaCode: '855', sms: 'outbound' })
  const gone = await lease(c.numbers, { areaCode: '855', sms: 'outbound' })
  await (await c.numbers.beginReleasePhoneNumber(gone)).pollUntilDone()
  const { productTime } = await own('GET', 'clock')
  await own('POST', 'clock/:advance', { seconds: 95 * 86400 })
  const rows = await usage(`account=${c.account}&from=${productTime.slice(0, 4)}-01-01&to=${+productTime.slice(0, 4) + 2}-01-01`)
  const mine = rows.filter((r) => r.number === number)
  assert.deepEqual(mine.map((r) => r.part), [0, 1, 2, 3])
  for (let i = 1; i < mine.length; i++) assert.equal(mine[i].time, mine[i - 1].until)
  assert.equal(rows.filter((r) => r.number === gone).length, 1)
})

test('a spend cap stops what would be new and says so; raising it lets through', async () => {
  const c = await customer('capped')
  const cap = (microUsd) => own('POST', `accounts/${c.account}/:spendCap`, { microUsd })
  const from = await lease(c.numbers, { areaCode: '866', calling: 'inbound+outbound', sms: 'inbound+outbound' })
  assert.equal((await cap(2010000)).spentMicroUsd, 2000000)
  const send = () => c.sms.send({ from, to: [handset], message: 'hello' })
  const over = async (what) => {
    const e = await what().then(() => assert.fail('it was not refused'), (e) => e)
    assert.equal(e.statusCode, 403)
    const error = envelope(e)
    assert.equal(error.innererror.code, 'SpendCapReached')
    assert.match(error.message, /'capped' may spend 2\.01 USD/)
    assert.match(error.innererror.message, /--spend-cap/)
    return error
  }
  assert.equal((await send())[0].httpStatusCode, 202)     // the last cent
  await eventually('its charge', async () => (await usage(`account=${c.account}&kind=smsOut`)).length === 1)
  assert.match((await over(send)).message, /2\.01 USD are spent or under way, and this costs 0\.01 USD/)
  await over(() => own('POST', 'calls', { from, to: handset }))
  await over(() => lease(c.numbers, { areaCode: '866', sms: 'outbound' }))
  assert.equal((await own('POST', 'calls', { from, to: '911' })).state, 'connecting')     // never an emergency call
  await cap(2020000)
  assert.equal((await send())[0].httpStatusCode, 202)
  await cap(null)
  await lease(c.numbers, { areaCode: '866', sms: 'outbound' })
  assert.equal((await own('GET', `invoice?account=${c.account}`)).spendCapMicroUsd, null)
})

test('an answered emergency call is a charge of nothing', async () => {
  const numbers = new PhoneNumbersClient(connectionString)
  const from = await lease(numbers, { areaCode: '877', calling: 'outbound' })
  const call = await own('POST', 'calls', { from, to: '911' })
  await eventually('the desk', async () => (await own('GET', `calls/${call.id}`)).state === 'connected')
  await own('POST', `calls/${call.id}/:hangup`)
  const [row] = await eventually('its charge', async () => {
    const rows = await usage('kind=emergency')
    return rows.length && rows
  })
  assert.deepEqual([row.cause, row.quantity, row.microUsd], [call.id, 1, 0])
})

test('a resource sees its own charges, and no others', async () => {
  const { signed } = await import('./harness.mjs')
  const connection = await resourceUnder('nosy', { offer: 'payg', billingCountry: 'US' })
  const key = Buffer.from(connection.match(/accesskey=(.*)/)[1], 'base64')
  const mine = await (await signed(key, 'GET', '/carterfone/v1/usage')).json()
  assert.deepEqual(mine.value, [])
  assert.equal(mine.account, 'nosy')
  assert.equal((await signed(key, 'GET', '/carterfone/v1/usage?account=default')).status, 404)
  assert.equal((await signed(key, 'GET', '/carterfone/v1/invoice?resource=default')).status, 404)
  assert.equal((await signed(key, 'POST', '/carterfone/v1/accounts/nosy/:spendCap', { microUsd: 1 })).status, 403)
})

test('what cannot be read is said', async () => {
  for (const query of ['month=2026-13', 'from=yesterday', 'by=colour', 'kind=fax', 'number=12', 'after=x', 'from=2026-11-22&to=2026-11-01', 'limit=0'])
    await own('GET', `usage?${query}`).then(() => assert.fail(query), (e) => assert.equal(e.statusCode, 400, query))
})

test('a spend cap is not taken away by a body that does not say so', async () => {
  const c = await customer('kept')
  const cap = (body) => own('POST', `accounts/${c.account}/:spendCap`, body)
  await cap({ microUsd: 5000000 })
  for (const body of [{}, { microUSD: 1 }, { microUsd: -1 }, { microUsd: 'x' }, { microUsd: 1.5 }])
    await cap(body).then(() => assert.fail(JSON.stringify(body)), (e) => assert.equal(e.statusCode, 400, JSON.stringify(body)))
  assert.equal((await own('GET', `invoice?account=${c.account}`)).spendCapMicroUsd, 5000000)
  assert.equal((await cap({ microUsd: null })).spendCapMicroUsd, null)
})
