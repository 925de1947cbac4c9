"""Pure Ed25519 (RFC 8032 section 5.1), written for clarity and for forging; neither fast nor constant-time."""

import hashlib

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_MINUS_ONE = pow(2, (P - 1) // 4, P)

IDENTITY = (0, 1, 1, 0)


def add(a, b):
    """Complete addition in extended coordinates (RFC 8032 section 5.1.4)."""
    x1, y1, z1, t1 = a
    x2, y2, z2, t2 = b
    m = (y1 - x1) * (y2 - x2) % P
    n = (y1 + x1) * (y2 + x2) % P
    c = 2 * t1 * t2 * D % P
    d = 2 * z1 * z2 % P
    e, f, g, h = n - m, d - c, d + c, n + m
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(scalar, point):
    result = IDENTITY
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point = add(point, point)
        scalar >>= 1
    return result


def negate(point):
    x, y, z, t = point
    return -x % P, y, z, -t % P


def equal(a, b):
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


def encode(point):
    x, y, z, _ = point
    inverse = pow(z, P - 2, P)
    x, y = x * inverse % P, y * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def recover_x(y, sign):
    """The x of a curve point with this y, or None (RFC 8032 section 5.1.3)."""
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    if square == 0:
        return None if sign else 0
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * SQRT_MINUS_ONE % P
    if (x * x - square) % P:
        return None
    return P - x if x & 1 != sign else x


def decode(data):
    """The point of 32 bytes, or None when RFC 8032 section 5.1.3 says that decoding fails."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if y >= P:
        return None
    x = recover_x(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE_X = recover_x(BASE_Y, 0)
BASE = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)


def sha512_number(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


def expand(seed):
    """The secret scalar and the prefix of a seed (RFC 8032 section 5.1.5)."""
    digest = hashlib.sha512(seed).digest()
    scalar = int.from_bytes(digest[:32], "little")
    scalar = scalar & ((1 << 254) - 8) | 1 << 254
    return scalar, digest[32:]


def public_key(seed):
    return encode(multiply(expand(seed)[0], BASE))


def challenge(r, key, message):
    return sha512_number(r, key, message) % L


def sign(seed, message):
    scalar, prefix = expand(seed)
    key = encode(multiply(scalar, BASE))
    nonce = sha512_number(prefix, message) % L
    r = encode(multiply(nonce, BASE))
    s = (nonce + challenge(r, key, message) * scalar) % L
    return r + s.to_bytes(32, "little")


def small_order_points():
    """All eight points of the torsion subgroup: multiples of L times any point that is outside the prime-order subgroup."""
    y = 2
    while True:
        x = recover_x(y, 0)
        if x is not None:
            generator = multiply(L, (x, y, 1, x * y % P))
            if not equal(multiply(4, generator), IDENTITY):
                return [multiply(i, generator) for i in range(8)]
        y += 1


def is_small_order(point):
    return equal(multiply(8, point), IDENTITY)


def lax_accepts(key, message, signature):
    """The bare equation S*B = R + k*A over decoded points: what a verifier without the strict rules computes."""
    a, r = decode(key), decode(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    k = challenge(signature[:32], key, message)
    return equal(multiply(s, BASE), add(r, multiply(k, a)))


def cofactored_accepts(key, message, signature):
    """The equation multiplied by the cofactor, which RFC 8032 section 5.1.7 also allows."""
    a, r = decode(key), decode(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    k = challenge(signature[:32], key, message)
    return equal(multiply(8 * s, BASE), multiply(8, add(r, multiply(k, a))))


def judge(key, message, signature):
    """None, or the code of the first rule of the strict policy that is broken: key first, then signature, then equation."""
    if len(key) != 32:
        return "ed25519.key-length"
    if int.from_bytes(key, "little") & (2**255 - 1) >= P:
        return "ed25519.key-not-canonical"
    a = decode(key)
    if a is None:
        return "ed25519.key-not-a-point"
    if is_small_order(a):
        return "ed25519.key-small-order"
    if len(signature) != 64:
        return "ed25519.signature-length"
    s = int.from_bytes(signature[32:], "little")
    if s >= L:
        return "ed25519.s-out-of-range"
    r = decode(signature[:32])
    if r is not None and is_small_order(r):
        return "ed25519.r-small-order"
    k = challenge(signature[:32], key, message)
    expected = add(multiply(s, BASE), negate(multiply(k, a)))
    return None if encode(expected) == signature[:32] else "ed25519.mismatch"
