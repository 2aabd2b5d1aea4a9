#!/usr/bin/env bash
# Builds the images of the examples and tests: tools/build_images.sh [NAME…], see tools/build_images.py.
exec python3 "$(dirname "$0")/build_images.py" "$@"
