from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand

from shop.models import Film


class Command(BaseCommand):
    help = "An administrator, and a few films."

    def handle(self, *args, **options):
        get_user_model().objects.create_superuser("admin", "admin@example.org", "of tests alone")
        for number in range(1, 21):
            Film.objects.create(title=f"Film {number}", year=1980 + number)
