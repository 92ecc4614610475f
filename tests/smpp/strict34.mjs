// libsmpp34 (strict34.c, its program named by STRICT34) as promises.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

const read = (text) => Buffer.from(text.replace(/%(..)/g, (_, hex) => String.fromCharCode(parseInt(hex, 16))), 'latin1')
const write = (value) => typeof value === 'number' ? String(value)
  : [...Buffer.from(value, 'latin1')].map((o) => /[\w.+:-]/.test(String.fromCharCode(o)) ? String.fromCharCode(o) : `%${o.toString(16).padStart(2, '0')}`).join('')
const LISTS = new Set(['dest', 'unsuccess'])
const PATIENCE_MS = 5000

/** What `promise` says, or a failure that names what was waited for. `what`: words, or a function that says them. */
export function within(promise, what, ms = PATIENCE_MS) {
  let late
  const end = new Promise((_, fail) => { late = setTimeout(() => fail(new Error(`${typeof what === 'function' ? what() : what}: not in ${ms} ms`)), ms) })
  return Promise.race([promise, end]).finally(() => clearTimeout(late))
}

/** "name=value ..." as an object: numbers as such when they are digits alone, tlvs by tag in hexadecimal. */
function pdu(command, words) {
  const it = { command, tlv: {}, dest: [], unsuccess: [] }
  for (const word of words) {
    const at = word.indexOf('='), name = word.slice(0, at), value = word.slice(at + 1)
    if (name.startsWith('tlv:')) it.tlv[name.slice(4)] = Buffer.from(value, 'hex')
    else if (LISTS.has(name)) it[name].push(value)
    else it[name] = name === 'short_message' ? read(value) : read(value).toString('latin1')
  }
  return it
}

class Link {
  #waiting = new Map(); #sequence = 0
  constructor(say, arrive, wait, answer) {
    this.say = say
    this.arrive = arrive
    this.wait = wait
    this.answer = { ...answer }     // command -> what answers it: fields (and a command that is not its _resp), or null for nobody
    this.gone = new Promise((done) => { this.ended = done })
  }
  send(command, { tlv = {}, dest = [], unsuccess = [], ...fields } = {}) {
    const sequence = fields.sequence_number ?? ++this.#sequence
    this.say([command, `sequence_number=${sequence}`, ...Object.entries(fields).filter(([n]) => n !== 'sequence_number').map(([n, v]) => `${n}=${write(v)}`),
      ...Object.entries(tlv).map(([tag, v]) => `tlv:${tag}=${Buffer.from(v, 'latin1').toString('hex')}`),
      ...dest.map((d) => `dest=${d}`), ...unsuccess.map((u) => `unsuccess=${u}`)].join(' '))
    return sequence
  }
  /** Its answer: the response, or a generic_nack. */
  ask(command, fields) {
    const sequence = this.send(command, fields)
    return this.wait(new Promise((done) => this.#waiting.set(sequence, done)), `an answer to ${command}`)
  }
  close() { this.say('close') }
  left() { return this.wait(this.gone, 'the end of the link') }
  heard(it) {
    const sequence = Number(it.sequence_number), taker = this.#waiting.get(sequence)
    if (taker && (it.command.endsWith('_resp') || it.command === 'generic_nack')) {
      this.#waiting.delete(sequence)
      taker(it)
      return
    }
    Object.assign(it, { link: this })
    const answer = this.answer[it.command]
    it.said = typeof answer === 'function' ? answer(it) : answer
    if (it.said) {
      const { command = `${it.command}_resp`, ...fields } = it.said
      this.send(command, { ...fields, sequence_number: sequence })
    }
    this.arrive(it)
  }
}

/** libsmpp34 in a process of its own. `seen` counts the PDUs that came, by command; `answer`: what each link begins with. Nothing here
 *  waits for ever, nor longer than the process lives: what libsmpp34 does not like ends it, and is the failure of whoever waits. */
export function strict34(t, { answer = {} } = {}) {
  const child = spawn(process.env.STRICT34, [], { stdio: ['pipe', 'pipe', 'pipe'] })
  const links = new Map(), opened = [], openers = [], arrived = [], takers = [], seen = {}
  let complaint = '', port
  child.stdin.on('error', () => {})           // it has ended: `ended` says why
  child.stderr.on('data', (text) => { complaint += text; process.stderr.write(text) })
  const exited = new Promise((done) => child.once('close', (code, signal) => done(code ?? signal)))
  const ended = exited.then((code) => { throw new Error(`strict34 ended with ${code}: ${complaint}`) })
  ended.catch(() => {})
  const wait = (promise, what, ms) => within(Promise.race([promise, ended]), what, ms)
  const look = () => {
    for (const taker of [...takers]) {
      const i = arrived.findIndex((it) => it.command === taker.command && taker.wanted(it))
      if (i < 0) continue
      takers.splice(takers.indexOf(taker), 1)
      taker.done(arrived.splice(i, 1)[0])
    }
  }
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [head, word, ...rest] = line.split(' ')
    if (head === 'port') port(Number(word))
    else if (word === 'open') {
      const link = new Link((said) => child.stdin.write(`${head} ${said}\n`), (it) => { arrived.push(it); look() }, wait, answer)
      links.set(head, link)
      const taker = openers.shift()
      if (taker) taker(link); else opened.push(link)
    } else if (word === 'gone') links.get(head).ended()
    else {
      seen[word] = (seen[word] ?? 0) + 1
      links.get(head).heard(pdu(word, rest))
    }
  })
  const link = () => wait(opened.length ? opened.shift() : new Promise((done) => openers.push(done)), 'a link')
  t.after(() => child.kill('SIGKILL'))
  return {
    seen, link,
    /** The next PDU of this command, by whatever link, that `wanted` likes and that was no answer to ask(). */
    next: (command, wanted = () => true, ms = PATIENCE_MS) => {
      const taker = { command, wanted }
      takers.push(taker)
      return wait(new Promise((done) => { taker.done = done; look() }), () => {
        takers.splice(takers.indexOf(taker), 1)
        return `a ${command} that is ${wanted}, beside ${arrived.map((it) => it.command)}`
      }, ms)
    },
    connect: (to) => { child.stdin.write(`connect ${to}\n`); return link() },
    listen: () => wait(new Promise((done) => { port = done; child.stdin.write('listen\n') }), 'a port'),
    /** Ends it; libsmpp34 must have liked all that came. */
    stop: async () => { child.stdin.end(); assert.equal(await within(exited, 'the end of strict34'), 0, complaint) },
  }
}
