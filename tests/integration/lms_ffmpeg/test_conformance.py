"""ffmpeg keeps the contract of Transcoder."""

from lms_core.testing.transcoder import TranscoderConformance


class TestFfmpegTranscoder(TranscoderConformance):
    pass
