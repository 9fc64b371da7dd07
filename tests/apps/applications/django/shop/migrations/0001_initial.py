from django.db import migrations, models

ID = models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Film",
            fields=[("id", ID), ("title", models.CharField(max_length=100)), ("year", models.IntegerField())],
        ),
        migrations.CreateModel(name="Note", fields=[("id", ID), ("text", models.CharField(max_length=100))]),
    ]
