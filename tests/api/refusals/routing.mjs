// Direct routing: the configuration of a resource's trunks, domains and routes.
import assert from 'node:assert/strict'
import { many, old } from './world.mjs'

const key = await old.resource('r-sip', 'payg', 'US')
const sip = (body) => old.ask('PATCH', '/sip', body, key)
const route = (more) => ({ routes: [{ name: 'r', numberPattern: '^1', trunks: [], ...more }] })
await sip({ trunks: { 'a.contoso.com': { sipSignalingPort: 5061 } } })
await sip({ trunks: { 'sbc.fabrikam.com': { sipSignalingPort: 5061 } } })
const domain = (name, verb, resource) => old.operator('POST', `sipDomains/${name}/:${verb}`, { resource })
assert.equal((await domain('tailspin.com', 'verify', 'default')).status, 204)

/** Changes of one domain on their way at once. */
async function race() {
  for (let i = 0; i < 50; i++) {
    const busy = (await Promise.all(Array.from({ length: 4 }, () => domain(`race${i}.com`, 'verify', 'default')))).find((a) => a.status === 429)
    if (busy) return busy
  }
}

export default [
  ['RequestInvalid', 400, ['it'], () => sip([])],
  ['RequestInvalid', 400, ['trunks'], () => sip({ trunks: [] }), 'trunks'],
  ['RequestInvalid', 400, ['routes'], () => sip({ routes: {} }), 'routes'],
  ['RequestInvalid', 400, ['expand'], () => old.ask('GET', '/sip?expand=everything'), 'expand'],
  ['RequestInvalid', 400, ['targetPhoneNumber'], () => old.ask('POST', '/sip:testRoutesWithNumber?targetPhoneNumber=me'), 'targetPhoneNumber'],
  ['InvalidTrunkFqdn', 422, [], () => sip({ trunks: { _: { sipSignalingPort: 5061 } } }), 'trunks._'],
  ['InvalidTrunkPort', 422, ['b.contoso.com'], () => sip({ trunks: { 'b.contoso.com': { sipSignalingPort: 65536 } } }), 'trunks.b.contoso.com'],
  ['TooManyTrunks', 422, [252, 250], () => sip({ trunks: many(250, (i) => [`t${i}.contoso.com`, { sipSignalingPort: 5061 }]) }), 'trunks'],
  ['InvalidDomain', 422, ['contoso'], () => sip({ domains: { contoso: { enabled: true } } }), 'domains.contoso'],
  ['TooManyDomains', 422, [251, 250], () => sip({ domains: many(251, (i) => [`d${i}.contoso.com`, { enabled: true }]) }), 'domains'],
  ['MissingTrunk', 422, [], () => sip(route({ trunks: ['never.contoso.com'] })), 'routes[0]'],
  ['TooManyRoutes', 422, [251, 250], () => sip({ routes: Array.from({ length: 251 }, (_, i) => ({ name: `r${i}`, numberPattern: '^1' })) }), 'routes'],
  ['InvalidRouteName', 422, [], () => sip(route({ name: '' })), 'routes[0]'],
  ['DuplicateRouteName', 422, ['r'], () => sip({ routes: [...route().routes, ...route().routes] }), 'routes[1]'],
  ['InvalidRouteDescription', 422, ['r'], () => sip(route({ description: 'x'.repeat(1025) })), 'routes[0]'],
  ['InvalidNumberPattern', 422, ['r', /.+/], () => sip(route({ numberPattern: '(' })), 'routes[0]'],
  ['TooManyRouteTrunks', 422, ['r', 251, 250], () => sip(route({ trunks: Array(251).fill('a.contoso.com') })), 'routes[0]'],
  ['TrunkDomainOfAnother', 422, ['sbc.tailspin.com', 'tailspin.com'], () => sip({ trunks: { 'sbc.tailspin.com': { sipSignalingPort: 5061 } } }), 'trunks.sbc.tailspin.com'],
  ['SipDomainInvalid', 400, ['localhost'], () => domain('localhost', 'verify', 'default')],
  ['SipDomainTaken', 409, ['tailspin.com', 'tailspin.com'], () => domain('tailspin.com', 'verify', 'r-sip-res')],
  ['SipDomainInUse', 409, ['fabrikam.com'], () => domain('fabrikam.com', 'verify', 'default')],
  ['SipDomainAbsent', 404, ['nowhere.com'], () => domain('nowhere.com', 'unverify', 'default')],
  ['SipDomainBusy', 429, [/race\d+\.com/], race],
  ['DuplicateRouteTrunk', 422, ['r', 'a.contoso.com'], () => sip(route({ trunks: ['a.contoso.com', 'a.contoso.com'] })), 'routes[0]'],
]
