"""Every format and mode must give the picture a person sees; every broken file a reason."""

import os
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from transferlab.data.decode import MAX_PIXELS, decode, decode_many, fit_square, to_rgb
from transferlab.errors import UserError


@pytest.fixture
def scene():
    """A smooth picture whose four corners differ, so that turning or mirroring it shows."""
    y, x = np.mgrid[0:48, 0:48] / 47
    red, green = 220 * x + 20, 200 * y + 30
    return np.stack([red, green, 128 + 60 * x * y], axis=-1).astype(np.uint8)


def seen(path, size=48):
    return decode(path, size).pixels.transpose(1, 2, 0).astype(int)


def error(path, scene):
    return np.abs(seen(path) - scene.astype(int)).mean()


@pytest.mark.parametrize(
    ("name", "options", "tolerance"),
    [
        ("a.png", {}, 0),
        ("a.BMP", {}, 0),
        ("a.TIFF", {"compression": "tiff_lzw"}, 0),
        ("a.tif", {}, 0),
        ("a.webp", {"lossless": True}, 0),
        ("a.ppm", {}, 0),
        ("a.JPEG", {"quality": 95}, 3),
        ("a.jpg", {"quality": 95, "progressive": True}, 3),
        ("a.gif", {}, 8),
        ("snow \u96ea man's \U0001f600 photo.PNG", {}, 0),
    ],
)
def test_formats_decode_to_the_same_picture(tmp_path, scene, name, options, tolerance):
    Image.fromarray(scene).save(tmp_path / name, **options)
    assert error(tmp_path / name, scene) <= tolerance


def test_cmyk_jpeg_and_tiff_are_not_inverted(tmp_path, scene):
    cmyk = Image.fromarray(scene).convert("CMYK")
    cmyk.save(tmp_path / "c.jpg", quality=95)
    cmyk.save(tmp_path / "c.tif")
    assert error(tmp_path / "c.jpg", scene) < 6
    assert error(tmp_path / "c.tif", scene) < 1


def test_transparency_lies_over_white_in_every_mode(tmp_path, scene):
    alpha = np.zeros((48, 48), np.uint8)
    alpha[:24] = 255
    rgba = Image.fromarray(np.dstack([scene, alpha]))
    expected = np.where(alpha[..., None] == 255, scene, 255)
    rgba.save(tmp_path / "rgba.png")
    rgba.save(tmp_path / "rgba.webp", lossless=True)
    assert np.array_equal(seen(tmp_path / "rgba.png"), expected)
    assert np.array_equal(seen(tmp_path / "rgba.webp"), expected)
    grey = Image.fromarray(scene[..., 0])
    Image.merge("LA", (grey, Image.fromarray(alpha))).save(tmp_path / "la.png")
    assert np.array_equal(seen(tmp_path / "la.png")[..., 1], np.where(alpha == 255, scene[..., 0], 255))
    palette = Image.fromarray((np.arange(48 * 48) % 2).astype(np.uint8).reshape(48, 48), "P")
    palette.putpalette([200, 0, 0, 0, 0, 200])
    palette.save(tmp_path / "p.png", transparency=1)
    pixels = seen(tmp_path / "p.png").reshape(-1, 3)
    assert (pixels[0::2] == [200, 0, 0]).all()
    assert (pixels[1::2] == 255).all()


def test_16_bit_and_float_keep_their_brightness(tmp_path, scene):
    grey = scene[..., 0]
    Image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "16.png")
    Image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "16.tif")
    Image.fromarray(grey.astype(np.int32) * 257).save(tmp_path / "32.tif")
    Image.fromarray(grey.astype(np.float32) / 255).save(tmp_path / "unit.tif")
    Image.fromarray(grey.astype(np.float32)).save(tmp_path / "bytes.tif")
    for name in ("16.png", "16.tif", "32.tif", "unit.tif", "bytes.tif"):
        assert np.array_equal(seen(tmp_path / name)[..., 1], grey), name


def test_big_endian_16_bit_is_not_byte_swapped(tmp_path, scene):
    grey = scene[..., 0].astype(np.uint16) * 257
    Image.frombytes("I;16B", (48, 48), grey.astype(">u2").tobytes()).save(tmp_path / "b.tif")
    assert np.array_equal(seen(tmp_path / "b.tif")[..., 0], scene[..., 0])


def test_float_with_holes_is_stretched_and_without_values_refused(tmp_path):
    values = np.linspace(-3, 7, 64 * 64, dtype=np.float32).reshape(64, 64)
    values[0, 1] = np.nan
    values[0, 2] = np.inf
    rgb = np.asarray(to_rgb(Image.fromarray(values)))
    assert rgb[0, 0, 0] == 0 and rgb[-1, -1, 0] == 255 and rgb[0, 1, 0] == 0 and rgb[0, 2, 0] == 255
    Image.fromarray(np.full((9, 9), np.nan, np.float32)).save(tmp_path / "nan.tif")
    with pytest.raises(UserError, match="finite"):
        decode(tmp_path / "nan.tif", 16)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "webp"])
def test_exif_orientation_gives_the_upright_picture(tmp_path, scene, orientation, suffix):
    # What a camera stores is the upright picture turned the opposite way.
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    image = Image.fromarray(scene)
    if orientation > 1:
        image = image.transpose(Image.Transpose(undo[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"jpg": {"quality": 95}, "webp": {"lossless": True}}.get(suffix, {})
    image.save(tmp_path / f"o.{suffix}", exif=exif, **options)
    assert error(tmp_path / f"o.{suffix}", scene) < 3


def test_gif_and_tiff_give_the_first_frame_and_say_so(tmp_path):
    frames = [Image.new("RGB", (20, 20), c) for c in ("#c80000", "#0000c8")]
    for name in ("a.gif", "a.tif", "a.webp"):
        options = {"lossless": True} if name.endswith("webp") else {}
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], **options)
        picture = decode(tmp_path / name, 20)
        assert picture.animated
        assert np.abs(picture.pixels[:, 10, 10].astype(int) - [200, 0, 0]).max() <= 2
    frames[0].save(tmp_path / "one.gif")
    assert not decode(tmp_path / "one.gif", 20).animated


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 300), st.integers(1, 300), st.sampled_from([8, 16, 33]))
def test_square_is_the_centre(width, height, size):
    x = np.broadcast_to(np.linspace(0, 255, width), (height, width)).astype(np.uint8)
    square = np.asarray(fit_square(Image.fromarray(x), size)).astype(int)
    assert square.shape == (size, size)
    assert abs(square.mean() - 127.5) < 4 or width == 1
    assert np.abs(square[:, ::-1] + square - 255).max() <= 40 or min(width, height) < 8


def test_extreme_shapes_do_not_blow_up(tmp_path):
    Image.new("L", (60_000, 1), 77).save(tmp_path / "line.png")
    assert (decode(tmp_path / "line.png", 64).pixels == 77).all()


def test_large_jpeg_and_its_png_look_the_same(tmp_path):
    y, x = np.mgrid[0:1100, 0:1400]
    big = np.stack([x % 256, y % 256, (x + y) // 10 % 256], -1).astype(np.uint8)
    image = Image.fromarray(big).resize((1400, 1100), Image.Resampling.BICUBIC)
    image.save(tmp_path / "big.jpg", quality=95)
    image.save(tmp_path / "big.png")
    a, b = (decode(tmp_path / n, 32).pixels.astype(int) for n in ("big.jpg", "big.png"))
    assert np.abs(a - b).mean() < 6


def test_digest_is_of_pixels_not_of_files(tmp_path, scene):
    for name in ("a.png", "a.bmp", "a.tif"):
        Image.fromarray(scene).save(tmp_path / name)
    other = scene.copy()
    other[0, 0, 0] ^= 1
    Image.fromarray(other).save(tmp_path / "b.png")
    Image.fromarray(scene[:, :47]).save(tmp_path / "c.png")
    a, bmp, tif, b, c = (
        decode(tmp_path / n, 16).digest for n in ("a.png", "a.bmp", "a.tif", "b.png", "c.png")
    )
    assert a == bmp == tif
    assert len({a, b, c}) == 3


def bomb(path, width, height):
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(d)) + t + d + struct.pack(">I", zlib.crc32(t + d)) for t, d in chunks
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_bombs_are_refused_and_named_in_pixels(tmp_path):
    bomb(tmp_path / "small.png", 10_000, MAX_PIXELS // 10_000 + 1)
    bomb(tmp_path / "huge.png", 60_000, 60_000)
    for name in ("small.png", "huge.png"):
        with pytest.raises(UserError, match=r"[\d,]{9,} pixels.*bomb"):
            decode(tmp_path / name, 16)


@pytest.mark.parametrize("suffix", ["jpg", "png", "bmp", "tif", "webp"])
def test_truncated_files_are_refused(tmp_path, suffix):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / f"whole.{suffix}")
    data = (tmp_path / f"whole.{suffix}").read_bytes()
    (tmp_path / f"cut.{suffix}").write_bytes(data[: len(data) // 2])
    with pytest.raises(UserError):
        decode(tmp_path / f"cut.{suffix}", 16)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda p: p.write_bytes(b""), "empty"),
        (lambda p: p.write_text("hello"), "not an image"),
        (lambda p: p.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"), "not an image"),
        (lambda p: p.write_bytes(b"\xff\xd8\xff\xe0" + b"\0" * 50), "damaged|not an image"),
        (lambda p: p.symlink_to(p.parent / "gone"), "broken link"),
        (lambda p: p.symlink_to(p), "cannot be read"),
        (os.mkfifo, "regular"),
        (lambda p: None, "no such file"),
    ],
)
def test_what_is_no_image_gets_its_reason(tmp_path, make, reason):
    make(tmp_path / "x.jpg")
    with pytest.raises(UserError, match=reason):
        decode(tmp_path / "x.jpg", 16)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damaged_bytes_never_escape_as_another_error(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("fuzz")
    suffix = data.draw(st.sampled_from(["jpg", "png", "gif", "tif", "webp", "bmp"]))
    noise = np.random.default_rng(1).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    Image.fromarray(noise).save(folder / f"a.{suffix}")
    raw = bytearray((folder / f"a.{suffix}").read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    (folder / f"a.{suffix}").write_bytes(raw)
    (result,) = decode_many([folder / f"a.{suffix}"], 8, progress=False)
    assert isinstance(result, str) or result.pixels.shape == (3, 8, 8)


def test_many_come_back_in_order(tmp_path):
    for i in range(60):
        Image.new("L", (9 + i, 9), i).save(tmp_path / f"{i}.png")
    (tmp_path / "30.png").write_bytes(b"")
    results = list(decode_many([tmp_path / f"{i}.png" for i in range(60)], 8, progress=False))
    assert results[30] == "empty file"
    assert [r.pixels[0, 0, 0] for i, r in enumerate(results) if i != 30] == [i for i in range(60) if i != 30]


def test_progress_stays_off_stdout(tmp_path, capsys):
    Image.new("L", (9, 9)).save(tmp_path / "a.png")
    list(decode_many([tmp_path / "a.png"], 8, progress=True))
    assert capsys.readouterr().out == ""


def test_progress_without_a_terminal_is_plain_lines(capsys):
    from transferlab.data.parallel import progress_lines

    tell = progress_lines("reading images", 10, every=0.0)
    tell(4)
    assert capsys.readouterr().err.startswith("reading images: 4 of 10, about ")
    patient = progress_lines("reading images", 10, every=1e9)
    patient(4)
    assert capsys.readouterr().err == ""


def test_work_in_order_prints_no_control_codes(capsys):
    from transferlab.data.parallel import map_in_order

    assert list(map_in_order(str, range(200))) == [str(i) for i in range(200)]
    assert "\x1b" not in capsys.readouterr().err
