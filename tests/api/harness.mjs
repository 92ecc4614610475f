// What the SDK tests share: where the server is, Carterfone's own API, an endpoint for events, waiting.
import assert from 'node:assert/strict'
import { createHash, createHmac, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export const ready = JSON.parse(readFileSync(process.env.CARTERFONE_READY, 'utf8'))
export const connectionString = ready.connectionString
export const key = Buffer.from(connectionString.match(/accesskey=(.*)/)[1], 'base64')
export const folder = process.env.CARTERFONE_TMP

function operatorKey() {
  const text = readFileSync(join(process.env.CARTERFONE_DATA, 'operator.key'), 'utf8').trim()
  return Buffer.from(text, /^[0-9a-f]{64}$/.test(text) ? 'hex' : 'base64')
}

/** One signed request as a program without an SDK would write it. A body goes as JSON, a Buffer as CSV. */
export async function signed(key, method, target, body, headers = {}) {
  const url = new URL(target, ready.api)
  const text = body === undefined ? '' : Buffer.isBuffer(body) ? body : JSON.stringify(body)
  const date = new Date().toUTCString()
  const hash = createHash('sha256').update(text).digest('base64')
  const signature = createHmac('sha256', key).update(`${method}\n${url.pathname}${url.search}\n${date};${url.host};${hash}`).digest('base64')
  return fetch(url, {
    method, body: text.length ? text : undefined,
    headers: { 'x-ms-date': date, 'x-ms-content-sha256': hash, 'content-type': Buffer.isBuffer(body) ? 'text/csv' : 'application/json',
      authorization: `HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=${signature}`, ...headers },
  })
}

/** The same, signed by the operator. */
export const operatorSigned = (method, target, body) => signed(operatorKey(), method, target, body)

/** Carterfone's own API, as its operator. The answer's JSON; throws with the error's code on a refusal. */
export async function own(method, path, body) {
  const answer = await signed(operatorKey(), method, `/carterfone/v1/${path}`, body)
  const text = await answer.text()
  const json = text ? JSON.parse(text) : {}
  if (!answer.ok) throw Object.assign(new Error(`${method} ${path}: ${answer.status} ${text}`), { statusCode: answer.status, error: json.error })
  return json
}

/** A resource of another account, as a connection string. */
export async function resourceUnder(account, { offer, billingCountry }) {
  await own('POST', 'accounts', { name: account, offer, billingCountry })
  await own('POST', 'resources', { name: `${account}-res`, account })
  const { primaryKey } = await own('GET', `resources/${account}-res/keys`)
  return connectionString.replace(/accesskey=.*/, `accesskey=${primaryKey}`)
}

/** The error envelope that an SDK's error carries. */
export const envelope = (e) => e.error ?? JSON.parse(e.response.bodyAsText).error

/** The call must be refused with this status; the answer must say which rule and what to do. @returns the envelope's error */
export async function refused(call, statusCode) {
  const e = await call().then(() => assert.fail('it was not refused'), (e) => e)
  assert.equal(e.statusCode, statusCode, `${e.message}`)
  const error = envelope(e)
  assert.ok(error.code && error.message, JSON.stringify(error))
  assert.ok(error.innererror?.code, `no rule in ${JSON.stringify(error)}`)
  assert.ok(error.innererror?.message, `no suggestion in ${JSON.stringify(error)}`)
  return error
}

/** Try until it answers something true. */
export async function eventually(what, ask, within = 10000) {
  const end = Date.now() + within
  for (;;) {
    const found = await ask()
    if (found) return found
    if (Date.now() > end) assert.fail(`${what}: not within ${within} ms`)
    await sleep(20)
  }
}

/** An HTTP endpoint of the test's own: answers both handshakes, keeps the events, serves files. */
export async function endpoint(t, files = {}) {
  const events = [], handshakes = []
  const server = createServer((request, response) => {
    if (request.method === 'GET') {
      const file = files[request.url]
      response.writeHead(file ? 200 : 404, { 'content-type': 'audio/wav' }).end(file)
      return
    }
    if (request.method === 'OPTIONS') {         // CloudEvents webhooks, 4.1
      handshakes.push(request.headers['webhook-request-origin'])
      response.writeHead(200, { 'WebHook-Allowed-Origin': '*' }).end()
      return
    }
    let text = ''
    request.on('data', (piece) => { text += piece })
    request.on('end', () => {
      const batch = JSON.parse(text)
      for (const event of [].concat(batch)) {
        const type = event.eventType ?? event.type
        if (type === 'Microsoft.EventGrid.SubscriptionValidationEvent') {
          handshakes.push(event)
          response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ validationResponse: event.data.validationCode }))
          return
        }
        events.push({ type, event, batch, headers: request.headers, path: request.url })
      }
      response.writeHead(200).end()
    })
  })
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
  t.after(() => { server.closeAllConnections(); server.close() })
  const url = `http://127.0.0.1:${server.address().port}`
  const event = (type, test = () => true, within) =>
    eventually(type, () => events.find((e) => e.type.endsWith(type) && test(e.event.data, e.event)), within)
  return { url, events, handshakes, event }
}

/** Lease one number. @returns E.164 */
export async function lease(client, { type = 'tollFree', calling = 'none', sms = 'none', areaCode, assignment = 'application' }) {
  const search = await client.beginSearchAvailablePhoneNumbers({ countryCode: 'US', phoneNumberType: type, assignmentType: assignment,
    capabilities: { calling, sms }, areaCode, quantity: 1 })
  const found = await search.pollUntilDone()
  const bought = await (await client.beginPurchasePhoneNumbers(found.searchId)).pollUntilDone()
  assert.ok(bought)
  return found.phoneNumbers[0]
}

export { randomUUID, sleep }
