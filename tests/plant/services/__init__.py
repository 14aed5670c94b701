"""The services of the plant, threads of one process: shop, CRM, MES and partner API."""
