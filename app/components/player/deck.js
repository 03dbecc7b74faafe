// A deck plays several equally long sounds in step: one clock, and for each track a voice (source and gain).

const RAMP_S = 0.012; // fades that are too short to hear as fades and long enough not to click
const LEAD_S = 0.02; // voices are started this far ahead, so that all of them start with the same sample
const RETRY_MS = [300, 1000, 3000]; // the server may drop and re-register a file while the script reruns

async function load(url) {
  for (let attempt = 0; ; attempt++) {
    const response = await fetch(url).catch(() => null);
    if (response?.ok) return response;
    if (attempt === RETRY_MS.length) throw new Error("it could not be fetched from the server");
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS[attempt]));
  }
}

// Decoding at the sounds' own rate keeps ten minutes at 22 kHz to 53 MB, and needs no click, unlike playing.
async function loadSound(url, sampleRate) {
  const bytes = await (await load(url)).arrayBuffer();
  return new OfflineAudioContext(1, 1, sampleRate).decodeAudioData(bytes).catch(() => {
    throw new Error("this browser cannot decode it");
  });
}

class Deck {
  sounds = new Map(); // name -> {url, buffer}
  duration = 0;
  loop = null; // {start, end} in seconds
  #voices = new Map(); // name -> {source, gain}, while playing
  #volumes = new Map(); // name -> factor, above 0 where the track is to be heard
  #position = 0; // where the clock stood at #since
  #since = null; // of the context's time; null while paused
  #context = null; // made by the first click on play: browsers allow no sound before
  #analyser = null;

  get started() {
    return this.#context !== null;
  }

  get playing() {
    return this.#since !== null;
  }

  get position() {
    return this.#positionAt(this.playing ? this.#context.currentTime : 0);
  }

  #positionAt(time) {
    const position = this.#position + (this.playing ? Math.max(time - this.#since, 0) : 0);
    if (!this.loop || position < this.loop.end) return Math.min(position, this.duration);
    return this.loop.start + ((position - this.loop.start) % (this.loop.end - this.loop.start));
  }

  /**
   * Takes the sounds that are due now; those that are the same as before play on untouched.
   * `shift` is how many seconds later than before a moment of the song comes in the new sounds.
   */
  replace(sounds, duration, shift) {
    const position = this.position + shift;
    const changed = (name) => sounds.get(name)?.url !== this.sounds.get(name)?.url;
    const stale = [...this.#voices.keys()].filter(changed);
    this.sounds = sounds;
    if (duration !== this.duration || shift) {
      this.duration = duration;
      const loop = this.loop && { start: this.loop.start + shift, end: this.loop.end + shift };
      this.loop = loop && loop.start >= 0 && loop.end <= duration ? loop : null;
      const gone = shift && (position < 0 || position > duration); // what was heard last is not in the new sounds
      this.seek(gone ? 0 : position); // all voices start afresh, with the new sounds
      return;
    }
    stale.forEach((name) => this.#stopVoice(name));
    if (this.playing) this.#startVoices();
  }

  play(sampleRate) {
    if (!this.#context) {
      this.#context = new AudioContext({ sampleRate });
      this.#analyser = this.#context.createAnalyser();
      this.#analyser.connect(this.#context.destination);
    }
    this.#context.resume(); // its clock stands still until it runs, so nothing need wait for it
    if (!this.loop && this.position >= this.duration) this.#position = 0;
    this.#since = this.#context.currentTime + LEAD_S;
    this.#startVoices();
  }

  pause() {
    this.#position = this.position;
    this.#since = null;
    this.#stopVoices();
  }

  seek(position) {
    this.#position = Math.min(Math.max(position, 0), this.duration);
    if (!this.playing) return;
    this.#stopVoices();
    this.#since = this.#context.currentTime + LEAD_S;
    this.#startVoices();
  }

  setLoop(loop) {
    const position = this.position; // by the old loop
    this.loop = loop;
    const inside = !loop || (position >= loop.start && position < loop.end);
    this.seek(inside ? position : loop.start);
  }

  setVolumes(volumes) {
    const before = this.#volumes;
    this.#volumes = volumes;
    for (const [name, { gain }] of this.#voices) {
      if (this.#volume(name) === (before.get(name) ?? 0)) continue; // it may be fading in: leave it alone
      this.#ramp(gain, this.#volume(name), this.#context.currentTime);
    }
  }

  /** Root mean square of the last 2048 samples that went out. */
  level() {
    if (!this.playing) return 0;
    const samples = new Float32Array(this.#analyser.fftSize);
    this.#analyser.getFloatTimeDomainData(samples);
    return Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length);
  }

  close() {
    this.#since = null;
    this.#voices.clear();
    this.#context?.close();
  }

  #volume(name) {
    return this.#volumes.get(name) ?? 0;
  }

  #startVoices() {
    const when = this.#context.currentTime + LEAD_S;
    const loop = this.loop ? { loop: true, loopStart: this.loop.start, loopEnd: this.loop.end } : {};
    for (const [name, { buffer }] of this.sounds) {
      if (this.#voices.has(name)) continue;
      const source = new AudioBufferSourceNode(this.#context, { buffer, ...loop });
      const volume = new GainNode(this.#context, { gain: 0 });
      source.connect(volume).connect(this.#analyser);
      source.onended = () => volume.disconnect();
      source.start(when, this.#positionAt(when));
      this.#voices.set(name, { source, gain: volume.gain });
      this.#ramp(volume.gain, this.#volume(name), when);
    }
  }

  #stopVoices() {
    for (const name of [...this.#voices.keys()]) this.#stopVoice(name);
  }

  #stopVoice(name) {
    const when = this.#context.currentTime + (this.playing ? LEAD_S : 0); // a successor fades in at the same time
    const { source, gain } = this.#voices.get(name);
    this.#voices.delete(name);
    this.#ramp(gain, 0, when);
    source.stop(when + RAMP_S);
  }

  #ramp(param, value, when) {
    param.cancelScheduledValues(when);
    param.setValueAtTime(param.value, when);
    param.linearRampToValueAtTime(value, when + RAMP_S);
  }
}
