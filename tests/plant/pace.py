"""Plant time: real time multiplied by the speed, and waits that end when they are told to."""

import time


class Pace:
    def __init__(self, speed=1.0):
        if speed <= 0:
            raise ValueError("speed must be above 0")
        self.speed = speed

    def real(self, plant_seconds):
        return plant_seconds / self.speed

    def wait(self, stop, plant_seconds):
        """Waits so many plant seconds; True when the event `stop` ended the wait."""
        return stop.wait(max(0.0, plant_seconds / self.speed))

    def sleep(self, plant_seconds):
        time.sleep(max(0.0, plant_seconds / self.speed))
