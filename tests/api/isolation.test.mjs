// What one resource has is nobody else's: its ids, numbers and keys at another resource answer 401, 403 or 404, every route of our own
// API with another's key shows nothing of it, and no spelling of the host lets a key in where it does not belong.
import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { request } from 'node:http'
import test from 'node:test'
import { eventually, key as defaultKey, own, randomUUID, ready, resourceUnder, endpoint } from './harness.mjs'

const port = new URL(ready.api).port, N = 'api-version=2025-06-01', V = 'api-version=2023-01-10-preview1', SC = 'api-version=2021-10-25-preview'
const CALL = 'api-version=2024-09-15', MERGE = 'application/merge-patch+json'

/** Signed for the host that is written, and sent to the server whatever that host is. */
function ask(key, host, method, target, body, headers = {}) {
  const text = body === undefined ? '' : JSON.stringify(body), date = new Date().toUTCString()
  const hash = createHash('sha256').update(text).digest('base64')
  const signature = createHmac('sha256', key).update(`${method}\n${target}\n${date};${host};${hash}`).digest('base64')
  const type = method === 'PATCH' ? MERGE : 'application/json'
  return new Promise((done, failed) => {
    const rq = request({ host: '127.0.0.1', port, method, path: target, headers: { host, 'x-ms-date': date, 'x-ms-content-sha256': hash,
      'content-type': type, 'content-length': Buffer.byteLength(text),
      authorization: `HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=${signature}`, ...headers } }, (answer) => {
      let got = ''
      answer.on('data', (piece) => { got += piece })
      answer.on('end', () => done({ status: answer.statusCode, text: got, json: () => JSON.parse(got), headers: answer.headers }))
    })
    rq.on('error', failed)
    rq.end(text)
  })
}
const keyOf = (text) => Buffer.from(text.match(/accesskey=(.*)/)[1], 'base64')
const [keyA, keyB] = [keyOf(await resourceUnder('mine', { offer: 'payg', billingCountry: 'US' })), keyOf(await resourceUnder('theirs', { offer: 'payg', billingCountry: 'US' }))]
const a = (...rest) => ask(keyA, `mine-res.localhost:${port}`, ...rest), b = (...rest) => ask(keyB, `theirs-res.localhost:${port}`, ...rest)

async function lease(phoneNumberType, capabilities) {
  const search = await a('POST', `/availablePhoneNumbers/countries/US/:search?${N}`, { phoneNumberType, assignmentType: 'application', capabilities })
  const searchId = search.headers['search-id']
  assert.equal((await a('POST', `/availablePhoneNumbers/:purchase?${N}`, { searchId })).status, 202)
  return (await a('GET', `/availablePhoneNumbers/searchResults/${searchId}?${N}`)).json().phoneNumbers[0]
}

const text = await lease('tollFree', { calling: 'none', sms: 'inbound+outbound' }), voice = await lease('geographic', { calling: 'inbound+outbound', sms: 'none' })
const held = await a('POST', `/availablePhoneNumbers/countries/US/:search?${N}`, { phoneNumberType: 'geographic', assignmentType: 'application', capabilities: { calling: 'inbound+outbound', sms: 'none' } })
const searchId = held.headers['search-id'], operation = held.headers['operation-id']
const [reservation, brief, short] = [randomUUID(), randomUUID(), randomUUID()]
const target = { kind: 'phoneNumber', phoneNumber: { value: '+12065550122' } }
let call, message, subscription

test('everything of another resource is refused', async (t) => {
  const hook = await endpoint(t)
  const free = (await a('POST', `/availablePhoneNumbers/countries/US/:browse?${N}`, { phoneNumberType: 'geographic', assignmentType: 'application' })).json().phoneNumbers[0]
  assert.equal((await a('PATCH', `/availablePhoneNumbers/reservations/${reservation}?${N}`, { phoneNumbers: { [free.id]: free } })).status, 201)
  message = (await a('POST', '/sms?api-version=2026-01-23', { from: text, message: 'between us', smsRecipients: [{ to: '+12065550101' }] })).json().value[0].messageId
  call = (await a('POST', `/calling/callConnections?${CALL}`, { targets: [target], sourceCallerIdNumber: { value: voice }, callbackUri: `${hook.url}/calls` })).json().callConnectionId
  subscription = (await a('POST', '/carterfone/v1/eventSubscriptions', { endpointUrl: `${hook.url}/events` })).json().id
  assert.equal((await a('PATCH', `/tollfreeVerification/countries/US/campaignBriefs/${brief}?${V}`, { countryCode: 'US' })).status, 201)
  assert.equal((await a('PATCH', `/shortCodes/countries/US/programBriefs/${short}?${SC}`, { id: short })).status, 201)
  assert.equal((await a('PATCH', '/sip?api-version=2023-03-01', { trunks: { 'mine.example.com': { sipSignalingPort: 5061 } } })).status, 200)
  await eventually('the text is on its way', async () => (await a('GET', `/carterfone/v1/messages/${message}`)).status === 200)

  const campaign = `/tollfreeVerification/countries/US/campaignBriefs/${brief}`, program = `/shortCodes/countries/US/programBriefs/${short}`
  for (const [method, path, body] of [
    ['GET', `/phoneNumbers/${text}?${N}`], ['DELETE', `/phoneNumbers/${text}?${N}`], ['PATCH', `/phoneNumbers/${text}/capabilities?${N}`, { sms: 'outbound' }],
    ['GET', `/phoneNumbers/operations/${operation}?${N}`], ['DELETE', `/phoneNumbers/operations/${operation}?${N}`],
    ['GET', `/availablePhoneNumbers/searchResults/${searchId}?${N}`], ['POST', `/availablePhoneNumbers/:purchase?${N}`, { searchId }],
    ['GET', `/availablePhoneNumbers/reservations/${reservation}?${N}`], ['DELETE', `/availablePhoneNumbers/reservations/${reservation}?${N}`],
    ['POST', `/availablePhoneNumbers/reservations/${reservation}/:purchase?${N}`],
    ['POST', '/sms?api-version=2026-01-23', { from: text, message: 'not mine', smsRecipients: [{ to: '+12065550101' }] }],
    ['POST', `/calling/callConnections?${CALL}`, { targets: [target], sourceCallerIdNumber: { value: voice }, callbackUri: 'http://127.0.0.1:9/' }],
    ['GET', `/calling/callConnections/${call}?${CALL}`], ['DELETE', `/calling/callConnections/${call}?${CALL}`], ['POST', `/calling/callConnections/${call}:terminate?${CALL}`],
    ['GET', `/calling/callConnections/${call}/participants?${CALL}`], ['POST', `/calling/callConnections/${call}:cancelAllMediaOperations?${CALL}`],
    ['GET', `${campaign}?${V}`], ['DELETE', `${campaign}?${V}`], ['POST', `${campaign}/:submit?${V}`], ['GET', `${program}?${SC}`], ['DELETE', `${program}?${SC}`], ['POST', `${program}/:submit?${SC}`],
  ]) {
    const answer = await b(method, path, body)
    assert.ok([401, 403, 404].includes(answer.status), `${method} ${path}: ${answer.status} ${answer.text}`)
  }
  for (const path of [`/phoneNumbers?${N}`, `/availablePhoneNumbers/reservations?${N}`, `/tollfreeVerification/campaignBriefs?${V}`, `/shortCodes/countries/US/programBriefs?${SC}`, '/sip?api-version=2023-03-01']) {
    const answer = await b('GET', path)
    assert.equal(answer.status, 200, path)
    for (const thing of [text, voice, reservation, brief, short, 'mine.example.com']) assert.ok(!answer.text.includes(thing), `${path} shows ${thing}`)
  }
})

test('every route of our own API with another key shows nothing of it, and changes nothing', async () => {
  const { value: routes } = await own('GET', 'routes')
  const things = [text, voice, message, call, subscription, brief, short, searchId, 'between us', 'mine.example.com']
  for (const { method, path, state } of routes.filter((r) => r.path.startsWith('/carterfone/v1/') && r.state !== 'not yet'))
    for (const id of path.includes('{') ? [encodeURIComponent(text), message, call, subscription, brief, 'mine-res', 'mine'] : ['']) {
      const at = path.replace(/\{[^}]*\}/, id).replace(/\{[^}]*\}/g, '1')
      for (const query of ['', '?resource=mine-res&account=mine&wait=0']) {
        const answer = await b(method, at + query, ['POST', 'PATCH', 'PUT'].includes(method) ? { resource: 'mine-res' } : undefined)
        const where = `${method} ${at}${query}: ${answer.status} ${answer.text.slice(0, 300)}`
        for (const thing of things) if (!decodeURIComponent(at).includes(thing)) assert.ok(!answer.text.includes(thing), where)
        if (method !== 'GET') assert.ok(answer.status >= 400, where)
      }
    }
  for (const path of [`/phoneNumbers/${text}?${N}`, `/calling/callConnections/${call}?${CALL}`, `/carterfone/v1/messages/${message}`,
    `/availablePhoneNumbers/searchResults/${searchId}?${N}`, `/availablePhoneNumbers/reservations/${reservation}?${N}`, `/tollfreeVerification/countries/US/campaignBriefs/${brief}?${V}`])
    assert.notEqual((await a('GET', path)).status, 404, path)
  assert.ok((await a('GET', '/carterfone/v1/eventSubscriptions')).text.includes(subscription))
})

test('no spelling of the host lets a key in where it does not belong', async () => {
  const list = `/phoneNumbers?${N}`
  for (const host of [`mine-res.localhost:${port}`, `MINE-RES.LOCALHOST:${port}`, 'mine-res.localhost', `mine-res.localhost.:${port}`, 'mine-res.localhost:99', 'mine-res.example.com', 'mine-res.'])
    for (const [key, status] of [[keyA, 200], [keyB, 401], [defaultKey, 401]]) assert.equal((await ask(key, host, 'GET', list)).status, status, host)
  for (const host of [`127.0.0.1:${port}`, `[::1]:${port}`, `x.mine-res.localhost:${port}`, `theirs-res@mine-res.localhost:${port}`, '%6dine-res.localhost', 'mine-res', `${'m'.repeat(300)}.localhost`, '.mine-res.localhost'])
    assert.ok(!(await ask(keyB, host, 'GET', list)).text.includes(voice), host)
  for (const name of ['x-forwarded-host', 'x-original-host', 'x-host', 'forwarded', 'x-ms-host']) {
    const answer = await b('GET', list, undefined, { [name]: name === 'forwarded' ? 'host=mine-res.localhost' : `mine-res.localhost:${port}` })
    assert.deepEqual([answer.status, answer.text.includes(voice)], [200, false], name)
  }
})
