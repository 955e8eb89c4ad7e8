"""Transcoding by ffmpeg on this machine."""
