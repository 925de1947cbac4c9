"""Kind `signature`: Ed25519 under the strict rule (canonical key, no small order, S below L, equation without cofactor)."""

import hashlib

import ed25519 as ed

TESTS = "RFC 8032 section 7.1"
SIGN = "RFC 8032 section 5.1.6"
VERIFY = "RFC 8032 section 5.1.7"
DECODE = "RFC 8032 section 5.1.3"
REGISTRY = "oversight-registry-v1 section 1.1"

# name, seed, public key, message, signature
# The message of the test that the RFC calls TEST 1024: 1,023 bytes.
MESSAGE_1024 = (
    "08b8b2b733424243760fe426a4b54908632110a66c2f6591eabd3345e3e4eb98fa6e264bf09efe12ee50f8f54e9f77b1e355f6c50544e23fb1433ddf73be84d879de7c0046dc4996d9e773f4bc9efe57"
    "38829adb26c81b37c93a1b270b20329d658675fc6ea534e0810a4432826bf58c941efb65d57a338bbd2e26640f89ffbc1a858efcb8550ee3a5e1998bd177e93a7363c344fe6b199ee5d02e82d522c4fe"
    "ba15452f80288a821a579116ec6dad2b3b310da903401aa62100ab5d1a36553e06203b33890cc9b832f79ef80560ccb9a39ce767967ed628c6ad573cb116dbefefd75499da96bd68a8a97b928a8bbc10"
    "3b6621fcde2beca1231d206be6cd9ec7aff6f6c94fcd7204ed3455c68c83f4a41da4af2b74ef5c53f1d8ac70bdcb7ed185ce81bd84359d44254d95629e9855a94a7c1958d1f8ada5d0532ed8a5aa3fb2"
    "d17ba70eb6248e594e1a2297acbbb39d502f1a8c6eb6f1ce22b3de1a1f40cc24554119a831a9aad6079cad88425de6bde1a9187ebb6092cf67bf2b13fd65f27088d78b7e883c8759d2c4f5c65adb7553"
    "878ad575f9fad878e80a0c9ba63bcbcc2732e69485bbc9c90bfbd62481d9089beccf80cfe2df16a2cf65bd92dd597b0707e0917af48bbb75fed413d238f5555a7a569d80c3414a8d0859dc65a46128ba"
    "b27af87a71314f318c782b23ebfe808b82b0ce26401d2e22f04d83d1255dc51addd3b75a2b1ae0784504df543af8969be3ea7082ff7fc9888c144da2af58429ec96031dbcad3dad9af0dcbaaaf268cb8"
    "fcffead94f3c7ca495e056a9b47acdb751fb73e666c6c655ade8297297d07ad1ba5e43f1bca32301651339e22904cc8c42f58c30c04aafdb038dda0847dd988dcda6f3bfd15c4b4c4525004aa06eeff8"
    "ca61783aacec57fb3d1f92b0fe2fd1a85f6724517b65e614ad6808d6f6ee34dff7310fdc82aebfd904b01e1dc54b2927094b2db68d6f903b68401adebf5a7e08d78ff4ef5d63653a65040cf9bfd4aca7"
    "984a74d37145986780fc0b16ac451649de6188a7dbdf191f64b5fc5e2ab47b57f7f7276cd419c17a3ca8e1b939ae49e488acba6b965610b5480109c8b17b80e1b7b750dfc7598d5d5011fd2dcc5600a3"
    "2ef5b52a1ecc820e308aa342721aac0943bf6686b64b2579376504ccc493d97e6aed3fb0f9cd71a43dd497f01f17c0e2cb3797aa2a2f256656168e6c496afc5fb93246f6b1116398a346f1a641f3b041"
    "e989f7914f90cc2c7fff357876e506b50d334ba77c225bc307ba537152f3f1610e4eafe595f6d9d90d11faa933a15ef1369546868a7f3a45a96768d40fd9d03412c091c6315cf4fde7cb68606937380d"
    "b2eaaa707b4c4185c32eddcdd306705e4dc1ffc872eeee475a64dfac86aba41c0618983f8741c5ef68d3a101e8a3b8cac60c905c15fc910840b94c00a0b9d0"
)
RFC_TESTS = [
    ("rfc-8032-test-1", "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "", "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
    ("rfc-8032-test-2", "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72", "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
    ("rfc-8032-test-3", "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7", "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82", "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"),
    ("rfc-8032-test-1024", "f5e5767cf153319517630f226876b86c8160cc583bc013744c6bf255f5cc0ee5", "278117fc144c72340f67d0f2316e8386ceffbf2b2428c9c51fef7c597f1d426e", MESSAGE_1024, "0aab4c900501b3e24d7cdf4663326a3a87df5e4843b2cbdb67cbf6e460fec350aa5371b1508f9f4528ecea23c436d94b5e8fcd4f681e30a6ac00a9704a188a03"),
    ("rfc-8032-test-sha-abc", "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42", "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf", hashlib.sha512(b"abc").hexdigest(), "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704"),
]


def seed(label):
    return hashlib.sha256(f"assayer vectors signature {label}".encode()).digest()


def number(value):
    return value.to_bytes(32, "little")


def flip_bit(data, bit):
    return bytes(byte ^ (1 << bit % 8 if i == bit // 8 else 0) for i, byte in enumerate(data))


def flip_to_point(data):
    """The encoding with the lowest bit flipped that leaves it the encoding of another point of large order."""
    for bit in range(255):
        candidate = flip_bit(data, bit)
        point = ed.decode(candidate)
        if point is not None and not ed.is_small_order(point):
            return candidate
    raise AssertionError("no neighbour is a point")


def forge(key, label, s=0):
    """A signature with an honest-looking R that the bare equation accepts under a small-order key: k*A must vanish."""
    nonce = ed.sha512_number(label.encode()) % ed.L
    r = ed.encode(ed.multiply(nonce, ed.BASE))
    counter = 0
    while True:
        message = f"{label} {counter}".encode()
        signature = r + number(nonce)
        if ed.lax_accepts(key, message, signature):
            return message, signature
        counter += 1


def generate(writer):
    def add(name, why, key, message, signature, expect="accept", twin="own-short", spec=VERIFY):
        found = ed.judge(key, message, signature)
        assert (found or "accept") == expect, (name, found)
        input = {"public_key": key.hex(), "message": message.hex(), "signature": signature.hex()}
        accepted = expect == "accept"
        writer.add(f"signatures/{name}", "signature", why, spec, input, "accept" if accepted else {"reject": expect}, twin=None if accepted else f"signatures/{twin}")

    for name, secret, key, message, signature in RFC_TESTS:
        secret, message = bytes.fromhex(secret), bytes.fromhex(message)
        assert ed.public_key(secret).hex() == key and ed.sign(secret, message).hex() == signature, name
        add(name, "A test of the RFC itself.", bytes.fromhex(key), message, bytes.fromhex(signature), spec=TESTS)

    secret = seed("own")
    key = ed.public_key(secret)
    message = b"evidence"
    signature = ed.sign(secret, message)
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    add("own-short", "An ordinary signature over a short message.", key, message, signature, spec=SIGN)
    for length in (0, 1, 31, 64, 127, 128, 1023):
        body = bytes((7 * i + length) % 256 for i in range(length))
        add(f"own-length-{length:04}", f"A message of {length} bytes, about the block size of SHA-512 or not.", key, body, ed.sign(secret, body), spec=SIGN)
    for i in range(3):
        other = seed(f"own {i}")
        add(f"own-other-key-{i}", "The same message under another key.", ed.public_key(other), message, ed.sign(other, message), spec=SIGN)

    lengths(add, key, message, signature)
    key_encodings(add, message, signature)
    small_orders(add, secret, key, message)

    for name, value, why in [
        ("s-plus-l", s + ed.L, "S and S + L satisfy the same equation; only the smaller one is a signature."),
        ("s-equals-l", ed.L, "L itself is the first value that is too large."),
        ("s-all-ones", 2**256 - 1, "The largest value that 32 bytes hold."),
        ("s-high-bit", s + 2**255, "A bit above those that S needs."),
    ]:
        add(name, why, key, message, r + number(value), "ed25519.s-out-of-range")

    add("message-bit-flipped", "One bit of the message differs.", key, flip_bit(message, 3), signature, "ed25519.mismatch")
    add("message-longer", "A byte was added to the message.", key, message + b"\x00", signature, "ed25519.mismatch")
    add("message-shorter", "A byte was taken from the message.", key, message[:-1], signature, "ed25519.mismatch")
    add("message-empty", "The signed message was taken away.", key, b"", signature, "ed25519.mismatch")
    add("message-hashed-first", "The signature is over the SHA-512 of the message, not over the message.", key, message, ed.sign(secret, hashlib.sha512(message).digest()), "ed25519.mismatch", spec=SIGN)
    add("r-bit-flipped", "R is another point.", key, message, flip_to_point(r) + number(s), "ed25519.mismatch")
    add("r-not-a-point", "R is the encoding of no point.", key, message, not_a_point() + number(s), "ed25519.mismatch")
    add("r-sign-flipped", "R is the opposite point.", key, message, flip_bit(r, 255) + number(s), "ed25519.mismatch")
    add("s-bit-flipped", "One bit of S differs.", key, message, r + number(s ^ 1), "ed25519.mismatch")
    add("s-zero", "S is zero under an ordinary key.", key, message, r + bytes(32), "ed25519.mismatch")
    add("key-bit-flipped", "The key is another point.", flip_to_point(key), message, signature, "ed25519.mismatch")
    add("key-sign-flipped", "The key is the opposite point.", flip_bit(key, 255), message, signature, "ed25519.mismatch")
    add("key-of-another", "The signature of somebody else.", ed.public_key(seed("own 0")), message, signature, "ed25519.mismatch", "own-other-key-0")
    add("only-with-cofactor", "R has a part of small order, which only the equation times eight forgives.", key, message, cofactored(secret, key, message), "ed25519.mismatch")
    mixed, text, made = mixed_order(secret)
    add("key-of-mixed-order", "A key with a part of small order beside one of full order has one holder, who signed this.", mixed, text, made)
    add("key-of-mixed-order-other-message", "The same key and signature, over another message.", mixed, text + b"x", made, "ed25519.mismatch", "key-of-mixed-order")


def mixed_order(secret):
    """Key, message and signature: the part of order 8 falls away where the challenge is a multiple of 8."""
    scalar, prefix = ed.expand(secret)
    torsion = next(point for point in ed.small_order_points() if not ed.equal(ed.multiply(4, point), ed.IDENTITY))
    key = ed.encode(ed.add(ed.multiply(scalar, ed.BASE), torsion))
    nonce = ed.sha512_number(prefix, b"mixed order") % ed.L
    r = ed.encode(ed.multiply(nonce, ed.BASE))
    message = next(text for text in (f"mixed order {i}".encode() for i in range(1000)) if ed.challenge(r, key, text) % 8 == 0)
    return key, message, r + number((nonce + ed.challenge(r, key, message) * scalar) % ed.L)


def lengths(add, key, message, signature):
    for size in (0, 31, 33, 64):
        add(f"key-of-{size:02}-bytes", "A key has 32 bytes.", (key + key)[:size], message, signature, "ed25519.key-length", spec=DECODE)
    for size in (0, 32, 63, 65):
        add(f"signature-of-{size:02}-bytes", "A signature has 64 bytes.", key, message, (signature + b"\x00")[:size], "ed25519.signature-length")


def not_a_point():
    y = 2
    while ed.recover_x(y, 0) is not None:
        y += 1
    return number(y)


def key_encodings(add, message, signature):
    add("key-not-a-point", "No point of the curve has this y.", not_a_point(), message, signature, "ed25519.key-not-a-point", spec=DECODE)
    add("key-identity-negative-zero", "An x of zero has no sign, so decoding fails.", number(1 | 1 << 255), message, ed.encode(ed.IDENTITY) + bytes(32), "ed25519.key-not-a-point", spec=DECODE)
    add("key-order-2-negative-zero", "An x of zero has no sign, at the point of order two either.", number(ed.P - 1 | 1 << 255), message, ed.encode(ed.IDENTITY) + bytes(32), "ed25519.key-not-a-point", spec=DECODE)
    for name, y in (("p", ed.P), ("p-plus-1", ed.P + 1), ("p-plus-3", ed.P + 3), ("two-to-255-minus-1", 2**255 - 1)):
        forged = ed.encode(ed.IDENTITY) + bytes(32)
        add(f"key-y-{name}", "The y of a key is below p, so that each point has one encoding.", number(y), message, forged, "ed25519.key-not-canonical", spec=DECODE)
        add(f"key-y-{name}-sign", "The y of a key is below p, whatever the sign bit.", number(y | 1 << 255), message, forged, "ed25519.key-not-canonical", spec=DECODE)


def small_orders(add, secret, key, message):
    points = sorted(ed.encode(p) for p in ed.small_order_points())
    identity = ed.encode(ed.IDENTITY)
    zero = identity + bytes(32)
    assert ed.lax_accepts(identity, message, zero)
    add("key-identity-signs-everything", "Under the identity as key, R = identity and S = 0 fit every message.", identity, message, zero, "ed25519.key-small-order", spec=REGISTRY)
    for point in points:
        order = next(n for n in (1, 2, 4, 8) if ed.equal(ed.multiply(n, ed.decode(point)), ed.IDENTITY))
        text, signature = forge(point, f"small order key {point.hex()[:8]}{point.hex()[-2:]}")
        name = f"key-order-{order}-{point.hex()[:4]}{point.hex()[-2:]}"
        add(name, f"A key of order {order} with a message chosen so that the key drops out of the equation.", point, text, signature, "ed25519.key-small-order", spec=REGISTRY)

    scalar = ed.expand(secret)[0]
    for point in points:
        order = next(n for n in (1, 2, 4, 8) if ed.equal(ed.multiply(n, ed.decode(point)), ed.IDENTITY))
        s = ed.challenge(point, key, message) * scalar % ed.L
        signature = point + number(s)
        assert ed.cofactored_accepts(key, message, signature)
        assert ed.lax_accepts(key, message, signature) == (order == 1)
        add(f"r-order-{order}-{point.hex()[:4]}{point.hex()[-2:]}", f"The holder of an ordinary key leaves out the nonce: R has order {order}.", key, message, signature, "ed25519.r-small-order")


def cofactored(secret, key, message):
    scalar, prefix = ed.expand(secret)
    nonce = ed.sha512_number(prefix, b"mixed", message) % ed.L
    torsion = next(p for p in ed.small_order_points() if not ed.equal(ed.multiply(4, p), ed.IDENTITY))
    r = ed.encode(ed.add(ed.multiply(nonce, ed.BASE), torsion))
    s = (nonce + ed.challenge(r, key, message) * scalar) % ed.L
    signature = r + number(s)
    assert ed.cofactored_accepts(key, message, signature) and not ed.lax_accepts(key, message, signature)
    return signature
