from django.db import models


class Film(models.Model):
    title = models.CharField(max_length=100)
    year = models.IntegerField()

    def __str__(self):
        return self.title


class Note(models.Model):
    text = models.CharField(max_length=100)
