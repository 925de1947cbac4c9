"""ML-DSA-65 (FIPS 204), written from the standard for clarity: key generation from a seed, deterministic signing, verification.

Neither fast nor constant-time. Algorithm numbers are those of FIPS 204.
"""

import functools
import hashlib

Q, N, D = 8380417, 256, 13
K, L, ETA, TAU, OMEGA = 6, 5, 4, 49, 55
GAMMA1, GAMMA2 = 1 << 19, (Q - 1) // 32
BETA = TAU * ETA
CHALLENGE = 48
KEY_BYTES, SIGNATURE_BYTES = 32 + 32 * K * 10, CHALLENGE + 32 * L * 20 + OMEGA + K

# Powers of the 512th root of unity 1753, in bit-reversed order (section 2.5).
ZETAS = [pow(1753, int(f"{i:08b}"[::-1], 2), Q) for i in range(N)]


def shake256(length, *parts):
    return hashlib.shake_256(b"".join(parts)).digest(length)


def ntt(w):
    """Algorithm 41."""
    w, m, length = list(w), 0, 128
    while length:
        for start in range(0, N, 2 * length):
            m += 1
            z = ZETAS[m]
            for j in range(start, start + length):
                t = z * w[j + length] % Q
                w[j + length] = (w[j] - t) % Q
                w[j] = (w[j] + t) % Q
        length //= 2
    return w


def inverse_ntt(w):
    """Algorithm 42."""
    w, m, length = list(w), 256, 1
    while length < N:
        for start in range(0, N, 2 * length):
            m -= 1
            z = Q - ZETAS[m]
            for j in range(start, start + length):
                t = w[j]
                w[j] = (t + w[j + length]) % Q
                w[j + length] = z * (t - w[j + length]) % Q
        length *= 2
    return [8347681 * x % Q for x in w]


def add(a, b):
    return [(x + y) % Q for x, y in zip(a, b)]


def subtract(a, b):
    return [(x - y) % Q for x, y in zip(a, b)]


def multiply(a, b):
    return [x * y % Q for x, y in zip(a, b)]


def product(matrix, vector):
    """A matrix of transformed polynomials times a vector of them."""
    return [functools.reduce(add, map(multiply, row, vector)) for row in matrix]


def centred(x, modulus=Q):
    x %= modulus
    return x - modulus if x > modulus // 2 else x


def norm(polynomials):
    return max(abs(centred(x)) for w in polynomials for x in w)


def pack(values, bits):
    number = sum(value << bits * i for i, value in enumerate(values))
    return number.to_bytes(len(values) * bits // 8, "little")


def unpack(data, bits):
    number = int.from_bytes(data, "little")
    return [number >> bits * i & (1 << bits) - 1 for i in range(len(data) * 8 // bits)]


def chunks(data, size):
    return [data[i : i + size] for i in range(0, len(data), size)]


@functools.cache
def expand_a(rho):
    """Algorithm 32, with the rejection of algorithm 30."""
    return [[uniform(rho + bytes([s, r])) for s in range(L)] for r in range(K)]


def uniform(seed):
    stream = hashlib.shake_128(seed).digest(168 * 8)
    found = (int.from_bytes(three, "little") & 0x7FFFFF for three in chunks(stream, 3))
    return [x for x in found if x < Q][:N]


def bounded(seed):
    """Algorithm 31 for eta = 4."""
    stream = shake256(136 * 4, seed)
    halves = (half for byte in stream for half in (byte & 15, byte >> 4))
    return [ETA - half for half in halves if half < 9][:N]


def expand_mask(seed, kappa):
    """Algorithm 34."""
    return [[GAMMA1 - x for x in unpack(shake256(640, seed, (kappa + r).to_bytes(2, "little")), 20)] for r in range(L)]


def sample_in_ball(seed):
    """Algorithm 29."""
    stream = shake256(1024, seed)
    signs, rest = int.from_bytes(stream[:8], "little"), iter(stream[8:])
    c = [0] * N
    for i in range(N - TAU, N):
        j = next(byte for byte in rest if byte <= i)
        c[i], c[j] = c[j], 1 - 2 * (signs >> i + TAU - N & 1)
    return c


def power2round(r):
    """Algorithm 35."""
    low = centred(r, 1 << D) if r % (1 << D) != 1 << D - 1 else 1 << D - 1
    return (r - low) >> D, low


def decompose(r):
    """Algorithm 36."""
    r %= Q
    low = centred(r, 2 * GAMMA2)
    return (0, low - 1) if r - low == Q - 1 else ((r - low) // (2 * GAMMA2), low)


def use_hint(hint, r):
    """Algorithm 40."""
    high, low = decompose(r)
    if not hint:
        return high
    return (high + (1 if low > 0 else -1)) % 16


def pack_high(w):
    return b"".join(pack([decompose(x)[0] for x in p], 4) for p in w)


def pack_hint(hint):
    """Algorithm 20."""
    positions = [[i for i in range(N) if h[i]] for h in hint]
    flat = [i for row in positions for i in row]
    ends = [sum(map(len, positions[: k + 1])) for k in range(K)]
    return bytes(flat + [0] * (OMEGA - len(flat)) + ends)


def unpack_hint(data):
    """Algorithm 21, or None."""
    hint, index = [[0] * N for _ in range(K)], 0
    for i in range(K):
        end = data[OMEGA + i]
        if not index <= end <= OMEGA or list(data[index:end]) != sorted(set(data[index:end])):
            return None
        for position in data[index:end]:
            hint[i][position] = 1
        index = end
    return None if any(data[index:OMEGA]) else hint


class Key:
    """Algorithm 6: a key pair from a seed of 32 bytes."""

    def __init__(self, seed):
        expanded = shake256(128, seed, bytes([K, L]))
        self.rho, secret, self.key = expanded[:32], expanded[32:96], expanded[96:]
        self.a = expand_a(self.rho)
        s = [bounded(secret + r.to_bytes(2, "little")) for r in range(L + K)]
        self.s1, self.s2 = [ntt(p) for p in s[:L]], [ntt(p) for p in s[L:]]
        t = [add(inverse_ntt(p), e) for p, e in zip(product(self.a, self.s1), s[L:])]
        rounded = [[power2round(x) for x in p] for p in t]
        self.t0 = [ntt([low for _, low in p]) for p in rounded]
        self.public = self.rho + b"".join(pack([high for high, _ in p], 10) for p in rounded)
        self.hex = self.public.hex()

    def sign(self, message, context=b""):
        """Algorithms 2 and 7, deterministic: rnd is zero."""
        mu = shake256(64, shake256(64, self.public), bytes([0, len(context)]), context, message)
        seed = shake256(64, self.key, bytes(32), mu)
        kappa, signature = 0, None
        while signature is None:
            signature = self.attempt(mu, expand_mask(seed, kappa))
            kappa += L
        return signature

    def attempt(self, mu, y):
        w = [inverse_ntt(p) for p in product(self.a, [ntt(p) for p in y])]
        challenge = shake256(CHALLENGE, mu, pack_high(w))
        c = ntt(sample_in_ball(challenge))
        z = [add(p, inverse_ntt(multiply(c, s))) for p, s in zip(y, self.s1)]
        r = [subtract(p, inverse_ntt(multiply(c, s))) for p, s in zip(w, self.s2)]
        if norm(z) >= GAMMA1 - BETA or max(abs(decompose(x)[1]) for p in r for x in p) >= GAMMA2 - BETA:
            return None
        ct0 = [inverse_ntt(multiply(c, t)) for t in self.t0]
        hint = [[int(decompose(x)[0] != decompose(x + e)[0]) for x, e in zip(p, t)] for p, t in zip(r, ct0)]
        if norm(ct0) >= GAMMA2 or sum(map(sum, hint)) > OMEGA:
            return None
        return challenge + b"".join(pack([(GAMMA1 - centred(x)) for x in p], 20) for p in z) + pack_hint(hint)


def is_well_formed(signature):
    """What algorithm 27 and step 13 of algorithm 8 demand of a signature, whatever the key."""
    return unpack_hint(signature[-OMEGA - K :]) is not None and norm(unpack_response(signature)) < GAMMA1 - BETA


def unpack_response(signature):
    return [[GAMMA1 - x for x in unpack(part, 20)] for part in chunks(signature[CHALLENGE : -OMEGA - K], 640)]


@functools.cache
def verifies(public, message, signature, context=b""):
    """Algorithms 3 and 8."""
    if len(public) != KEY_BYTES or len(signature) != SIGNATURE_BYTES or not is_well_formed(signature):
        return False
    hint, z = unpack_hint(signature[-OMEGA - K :]), unpack_response(signature)
    challenge, c = signature[:CHALLENGE], ntt(sample_in_ball(signature[:CHALLENGE]))
    mu = shake256(64, shake256(64, public), bytes([0, len(context)]), context, message)
    t1 = [ntt([x << D for x in unpack(part, 10)]) for part in chunks(public[32:], 320)]
    az = product(expand_a(public[:32]), [ntt(p) for p in z])
    w = [inverse_ntt(subtract(p, multiply(c, t))) for p, t in zip(az, t1)]
    high = b"".join(pack([use_hint(h, x) for h, x in zip(hs, p)], 4) for hs, p in zip(hint, w))
    return challenge == shake256(CHALLENGE, mu, high)


def accumulated(count):
    """The SHAKE128 of public keys and signatures of the empty message, over seeds from SHAKE128 of nothing (C2SP/CCTV, ML-DSA)."""
    seeds, sink = hashlib.shake_128(b"").digest(32 * count), hashlib.shake_128()
    for seed in chunks(seeds, 32):
        key = Key(seed)
        sink.update(key.public + key.sign(b""))
    return sink.digest(32).hex()


if __name__ == "__main__":
    assert accumulated(100) == "8358a1843220194417cadbc2651295cd8fc65125b5a5c1a239a16dc8b57ca199"
    print("100 accumulated keys and signatures are those of CCTV")
