// Callbacks of a call carry a token whose signature, audience and age a stranger can check: jose, with nothing but our address.
import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { CallAutomationClient } from '@azure/communication-call-automation'
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import { connectionString, endpoint, lease, own, ready } from './harness.mjs'

const number = await lease(new PhoneNumbersClient(connectionString), { calling: 'inbound+outbound' })
const configuration = await (await fetch(`${ready.api}/calling/.well-known/acsopenidconfiguration`)).json()
const keys = createRemoteJWKSet(new URL(configuration.jwks_uri))

test('each callback has a token of its own, about the resource, good for five minutes', async (t) => {
  const hook = await endpoint(t)
  const made = await new CallAutomationClient(connectionString).createCall(
    { targetParticipant: { phoneNumber: '+12065550122' }, sourceCallIdNumber: { phoneNumber: number } }, `${hook.url}/callback`)
  await hook.event('CallConnected')
  await made.callConnection.hangUp(true)
  await hook.event('CallDisconnected')
  const { id } = (await own('GET', 'resources')).value.find((r) => r.name === 'default')
  const tokens = hook.events.map(({ headers }) => headers.authorization?.replace(/^Bearer /, ''))
  assert.equal(configuration.issuer, ready.api.replace('127.0.0.1', 'localhost'))
  for (const token of tokens) {
    const { payload } = await jwtVerify(token, keys, { issuer: configuration.issuer, audience: id, algorithms: ['RS256'] })
    assert.equal(payload.exp - payload.iat, 300)
    assert.ok(Math.abs(payload.iat - Date.now() / 1000) < 30)
    await assert.rejects(jwtVerify(token, keys, { issuer: configuration.issuer, audience: 'somebody-else' }))
    const [head, , signature] = token.split('.')
    const other = Buffer.from(JSON.stringify({ ...payload, aud: 'somebody-else' })).toString('base64url')
    await assert.rejects(jwtVerify([head, other, signature].join('.'), keys), { code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' })
  }
  assert.equal(decodeProtectedHeader(tokens[0]).typ, 'JWT')
})

test('the keys that are told are public halves, and the private one is the owner\'s alone', async () => {
  const { keys: told } = await (await fetch(configuration.jwks_uri)).json()
  assert.equal(told.length, 1)
  assert.deepEqual(Object.keys(told[0]).sort(), ['alg', 'e', 'kid', 'kty', 'n', 'use'])
  assert.deepEqual([told[0].kty, told[0].alg, told[0].use, Buffer.from(told[0].n, 'base64url').length], ['RSA', 'RS256', 'sig', 256])
  assert.equal(statSync(join(process.env.CARTERFONE_DATA, 'callbacks.key')).mode & 0o777, 0o600)
})

test('an event\'s endpoint gets no such token', async (t) => {
  const hook = await endpoint(t)
  await own('POST', 'eventSubscriptions', { endpointUrl: hook.url, eventTypes: ['Microsoft.Communication.IncomingCall'] })
  await own('POST', `handsets/${encodeURIComponent('+12065550123')}/:dial`, { to: number })
  assert.equal((await hook.event('IncomingCall')).headers.authorization, undefined)
})
