from django.contrib import admin

from .models import Film

admin.site.register(Film, list_display=["title", "year"], search_fields=["title"])
